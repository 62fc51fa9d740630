import type { Db, Trx } from './types.ts';

export interface RunEventRow {
  sandbox_id: string;
  seq: number;
  spec_id: string;
  run_id: string | null;
  type: string;
  at: Date;
  data: Record<string, unknown>;
  received_at: Date;
}

export interface NewRunEvent {
  readonly seq: number;
  readonly run_id: string | null;
  readonly type: string;
  /** ISO 8601. */
  readonly at: string;
  readonly data: object;
}

/** A sign of life; locks the sandbox's row for the transaction. False when there is no such sandbox. */
export async function touchSandbox(trx: Trx, sandboxId: string): Promise<boolean> {
  const changed = await trx('sandboxes')
    .where({ id: sandboxId })
    .update({ heartbeat_at: trx.raw('specwright_now()') });
  return changed === 1;
}

/** The highest number stored for a sandbox, 0 when there is none. */
export async function lastSeq(trx: Trx, sandboxId: string): Promise<number> {
  const { rows } = await trx.raw(
    'select coalesce(max(seq), 0)::int as seq from run_events where sandbox_id = ?',
    [sandboxId],
  );
  return rows[0].seq;
}

/** Stores events of one sandbox in one statement; a number that is there already is left as it is. */
export async function insertRunEvents(
  trx: Trx,
  sandbox: { id: string; specId: string },
  events: readonly NewRunEvent[],
): Promise<void> {
  await trx.raw(
    `insert into run_events (sandbox_id, spec_id, seq, run_id, type, at, data)
     select ?, ?, seq, run_id, type, at, data
     from jsonb_to_recordset(?::jsonb) as e(seq int, run_id uuid, type text, at timestamptz, data jsonb)
     on conflict (sandbox_id, seq) do nothing`,
    [sandbox.id, sandbox.specId, JSON.stringify(events)],
  );
}

/** A spec's events in the order in which they came, over all its sandboxes. */
export async function listRunEvents(db: Db | Trx, specId: string, limit: number): Promise<RunEventRow[]> {
  return db('run_events')
    .where({ spec_id: specId })
    .orderBy(['received_at', 'sandbox_id', 'seq'])
    .limit(limit);
}

/** The last thing a sandbox said. */
export async function newestRunEvent(db: Db, sandboxId: string): Promise<RunEventRow | null> {
  return (await db('run_events').where({ sandbox_id: sandboxId }).orderBy('seq', 'desc').first()) ?? null;
}
