import type { Db } from './types.ts';

/** How long a sweep may be silent before another process takes it up, in seconds. */
const LEASE_SECONDS = 120;

/**
 * Takes the right to sweep: one process at a time, and not before `pauseSeconds` after the last pass ended. Answers
 * what the last one left, or null.
 */
export async function takeSweep(
  db: Db,
  name: string,
  taking: { owner: string; pauseSeconds: number },
): Promise<Record<string, unknown> | null> {
  await db('sweeps').insert({ name }).onConflict('name').ignore();
  const { rows } = await db.raw(
    `update sweeps set lease_owner = ?, lease_until = specwright_now() + make_interval(secs => ?)
     where name = ? and coalesce(lease_until, '-infinity') <= specwright_now()
       and coalesce(finished_at, '-infinity') <= specwright_now() - make_interval(secs => ?)
     returning state`,
    [taking.owner, LEASE_SECONDS, name, taking.pauseSeconds],
  );
  return rows[0]?.state ?? null;
}

/** Stores how far a sweep has come and keeps it; false when another process has taken it meanwhile. */
export async function keepSweep(
  db: Db,
  name: string,
  kept: { owner: string; state: object },
): Promise<boolean> {
  const { rowCount } = await db.raw(
    `update sweeps set state = ?::jsonb, lease_until = specwright_now() + make_interval(secs => ?)
     where name = ? and lease_owner = ?`,
    [JSON.stringify(kept.state), LEASE_SECONDS, name, kept.owner],
  );
  return rowCount === 1;
}

/** Lets a sweep go; `finished` counts the pause until the next one from now. */
export async function leaveSweep(
  db: Db,
  name: string,
  left: { owner: string; finished: boolean },
): Promise<void> {
  await db.raw(
    `update sweeps set lease_owner = null, lease_until = null,
       finished_at = case when ? then specwright_now() else finished_at end
     where name = ? and lease_owner = ?`,
    [left.finished, name, left.owner],
  );
}

export interface SweepRow {
  name: string;
  state: Record<string, unknown>;
  finished_at: Date | null;
}

/** What all sweeps have come to. */
export async function listSweeps(db: Db): Promise<SweepRow[]> {
  return db('sweeps').select('name', 'state', 'finished_at').orderBy('name');
}
