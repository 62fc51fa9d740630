import type { Db, Trx } from './types.ts';

export interface ArtifactRow {
  spec_id: string;
  phase: string;
  attempt: number;
  schema_version: number;
  content: unknown;
  hash: string;
  failures: string[];
  accepted: boolean;
  created_at: Date;
}

/** Stores one attempt's output, accepted or not. */
export async function insertArtifact(trx: Trx, artifact: Omit<ArtifactRow, 'created_at'>): Promise<void> {
  await trx('artifacts').insert({
    ...artifact,
    content: JSON.stringify(artifact.content),
    failures: JSON.stringify(artifact.failures),
  });
}

/** The accepted artifacts, oldest first. */
export async function listAccepted(db: Db | Trx, specId: string): Promise<ArtifactRow[]> {
  return db('artifacts').where({ spec_id: specId, accepted: true }).orderBy('created_at');
}

/** Every attempt's output, oldest first. */
export async function listArtifacts(db: Db | Trx, specId: string): Promise<ArtifactRow[]> {
  return db('artifacts').where({ spec_id: specId }).orderBy(['created_at', 'attempt']);
}

/** Why the newest refused attempt of a phase was refused; empty when none was. */
export async function lastFailures(db: Db | Trx, specId: string, phase: string): Promise<string[]> {
  const row = await db('artifacts')
    .where({ spec_id: specId, phase, accepted: false })
    .orderBy('attempt', 'desc')
    .first();
  return row?.failures ?? [];
}
