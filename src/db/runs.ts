import type { Db, Trx } from './types.ts';

export interface RunRow {
  id: string;
  spec_id: string;
  sandbox_id: string;
  step: string;
  attempt: number;
  request: unknown;
  state: 'open' | 'done' | 'lost';
  result: unknown;
  created_at: Date;
  finished_at: Date | null;
}

/** Opens the next attempt at a step; the keys allow one open run a spec. */
export async function openRun(
  trx: Trx,
  run: { id: string; specId: string; sandboxId: string; step: string; request: object },
): Promise<void> {
  await trx.raw(
    `insert into runs (id, spec_id, sandbox_id, step, attempt, request, created_at)
     select ?, ?, ?, ?, coalesce(max(attempt), 0) + 1, ?, specwright_now() from runs where spec_id = ? and step = ?`,
    [run.id, run.specId, run.sandboxId, run.step, JSON.stringify(run.request), run.specId, run.step],
  );
}

export async function findOpenRun(db: Db | Trx, specId: string): Promise<RunRow | null> {
  return (await db('runs').where({ spec_id: specId, state: 'open' }).first()) ?? null;
}

export async function readRun(db: Db | Trx, id: string): Promise<RunRow | null> {
  return (await db('runs').where({ id }).first()) ?? null;
}

/** Stores the result of an open run. */
export async function finishRun(trx: Trx, id: string, result: object): Promise<void> {
  await trx('runs')
    .where({ id, state: 'open' })
    .update({ state: 'done', result: JSON.stringify(result), finished_at: trx.raw('specwright_now()') });
}

/** Keeps what came of a run that will be done again as if it had not been. */
export async function dropRun(trx: Trx, id: string, result: object): Promise<void> {
  await trx('runs')
    .where({ id, state: 'open' })
    .update({ state: 'lost', result: JSON.stringify(result), finished_at: trx.raw('specwright_now()') });
}

/** The sandbox is gone: what it was doing will never be answered. */
export async function loseOpenRuns(trx: Trx, specId: string): Promise<void> {
  await trx('runs')
    .where({ spec_id: specId, state: 'open' })
    .update({ state: 'lost', finished_at: trx.raw('specwright_now()') });
}

/** Finished runs of steps whose name starts with `prefix`, newest first. */
export async function listDoneRuns(db: Db | Trx, specId: string, prefix: string): Promise<RunRow[]> {
  return db('runs')
    .where({ spec_id: specId, state: 'done' })
    .whereRaw('starts_with(step, ?)', [prefix])
    .orderBy('finished_at', 'desc');
}
