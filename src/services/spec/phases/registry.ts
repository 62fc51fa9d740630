import type { z } from 'zod';
import { cleanText, cutText } from '../../markdown/markdown.ts';
import type { PlanningPhase } from '../states.ts';
import type { ArtifactOf, GateContext, PhaseDefinition } from './definition.ts';
import { design } from './design.ts';
import { explore } from './explore.ts';
import { toJsonSchema } from './frame.ts';
import { requirements } from './requirements.ts';
import { sync } from './sync.ts';
import { tasks } from './tasks.ts';

const definitions: { readonly [P in PlanningPhase]: PhaseDefinition<P> } = {
  explore,
  requirements,
  design,
  tasks,
  sync,
};

/** The planning phases in their order. */
export const planningPhases: readonly PlanningPhase[] = [
  'explore',
  'requirements',
  'design',
  'tasks',
  'sync',
];

/** Enough for an agent to mend its answer, little enough for a prompt and a comment. */
const MAX_FAILURES = 20;
const MAX_FAILURE_LENGTH = 400;
/** No schema of ours nests deeper than 5; what does is no answer but an attack on the stack. */
const MAX_DEPTH = 32;

/** Whether a name is that of a planning phase. */
export function isPlanningPhase(name: string): name is PlanningPhase {
  return Object.hasOwn(definitions, name);
}

/** Schema, prompt, gate and Markdown of a phase. */
export function definitionOf<P extends PlanningPhase>(name: P): PhaseDefinition<P> {
  return definitions[name];
}

/** The phase behind this one; null behind the last. */
export function nextPhase(name: PlanningPhase): PlanningPhase | null {
  return planningPhases[planningPhases.indexOf(name) + 1] ?? null;
}

/** The JSON Schema of a phase's output, for agents that take one. */
export function outputSchemaOf(name: PlanningPhase): Record<string, unknown> {
  return toJsonSchema(definitions[name].schema);
}

export type Checked<P extends PlanningPhase> =
  | { readonly ok: true; readonly artifact: ArtifactOf[P] }
  | { readonly ok: false; readonly failures: string[] };

/**
 * Judges what an agent answered: shape first, then the gate. The artifact is free of control characters, which
 * neither Postgres' jsonb nor a reader could take. At most 20 failures of 400 characters.
 */
export function checkOutput<P extends PlanningPhase>(
  name: P,
  output: unknown,
  context: GateContext,
): Checked<P> {
  const definition = definitionOf(name);
  if (output === null || typeof output !== 'object' || Array.isArray(output))
    return { ok: false, failures: ['The answer is not a JSON object.'] };
  if (isTooDeep(output, MAX_DEPTH)) return { ok: false, failures: ['The answer is nested too deeply.'] };
  const parsed = definition.schema.safeParse(clean(output));
  if (!parsed.success) return { ok: false, failures: cap(parsed.error.issues.map(issueSentence)) };
  const failures = definition.gate(parsed.data, context);
  return failures.length > 0 ? { ok: false, failures: cap(failures) } : { ok: true, artifact: parsed.data };
}

function cap(failures: readonly string[]): string[] {
  const shown = failures.slice(0, MAX_FAILURES).map((failure) => cutText(failure, MAX_FAILURE_LENGTH));
  const more = failures.length - shown.length;
  return more > 0 ? [...shown, `… and ${more} more.`] : shown;
}

function issueSentence(issue: z.core.$ZodIssue): string {
  const where = issue.path.reduce<string>(
    (path, key) =>
      typeof key === 'number' ? `${path}[${key}]` : `${path}${path === '' ? '' : '.'}${String(key)}`,
    '',
  );
  return where === '' ? `${issue.message}.` : `${where}: ${issue.message}.`;
}

function isTooDeep(value: unknown, depth: number): boolean {
  if (value === null || typeof value !== 'object') return false;
  return depth === 0 || Object.values(value).some((child) => isTooDeep(child, depth - 1));
}

function clean(value: unknown): unknown {
  if (typeof value === 'string') return cleanText(value);
  if (Array.isArray(value)) return value.map(clean);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, clean(child)]));
}
