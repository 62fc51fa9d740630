import { readFileSync } from 'node:fs';
import type { Knex } from 'knex';
import type { ArtifactOf } from '../../src/services/spec/phases/definition.ts';

const file = new URL('../../src/cli/demo-script.json', import.meta.url);

/** The demo's script, parsed afresh, so that a test may change its copy. */
export function demoScript(): {
  phases: { [P in keyof ArtifactOf]: { output: Mutable<ArtifactOf[P]> } };
  tasks: Record<string, { edits: { path: string; content: string }[] }>;
} {
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** Valid artifacts of all phases, to be changed at will. */
export function demoArtifacts(): { -readonly [P in keyof ArtifactOf]: Mutable<ArtifactOf[P]> } {
  const { explore, requirements, design, tasks, sync } = demoScript().phases;
  return {
    explore: explore.output,
    requirements: requirements.output,
    design: design.output,
    tasks: tasks.output,
    sync: sync.output,
  };
}

/** Writes down artifacts of all phases as a spec whose phases are over has them. */
export async function acceptDemoArtifacts(db: Knex, specId: string): Promise<void> {
  const rows = Object.entries(demoArtifacts()).map(([phase, content]) => ({
    spec_id: specId,
    phase,
    attempt: 1,
    schema_version: 1,
    content: JSON.stringify(content),
    hash: phase,
    accepted: true,
  }));
  await db('artifacts').insert(rows);
}

type Mutable<T> = T extends readonly (infer E)[]
  ? Mutable<E>[]
  : T extends object
    ? { -readonly [K in keyof T]: Mutable<T[K]> }
    : T;
