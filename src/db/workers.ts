import type { Db, Trx } from './types.ts';

/** The channel on which a worker hears that one of its sandboxes is to be ended. */
export const CLOSING_CHANNEL = 'specwright_closing';

/** The advisory lock class under which a worker shows that it lives. */
const OWNER_LOCK = 7_301;

/** Wakes the owner of a sandbox once the transaction commits. */
export async function notifyOwner(trx: Trx, owner: string): Promise<void> {
  await trx.raw('select pg_notify(?, ?)', [CLOSING_CHANNEL, owner]);
}

/**
 * The statement a worker runs on its own session; the lock falls with the session, so with the process. The row comes
 * after the lock: a row without a lock is a dead worker.
 */
export function holdOwnerLock(worker: { id: string; pid: number }): { text: string; values: unknown[] } {
  return {
    text: `with held as materialized (select pg_advisory_lock($1, hashtext($2::text)))
      insert into workers (id, pid) select $2::uuid, $3 from held on conflict do nothing`,
    values: [OWNER_LOCK, worker.id, worker.pid],
  };
}

/** Workers that have not been written off: those that live, and those whose death nobody has noticed yet. */
export async function listWorkers(db: Db): Promise<string[]> {
  const { rows } = await db.raw(
    `select id from workers union select owner from sandboxes where state <> 'gone' and owner is not null`,
  );
  return rows.map((row: { id: string }) => row.id);
}

/** Writes a worker off: nothing of it is left. */
export async function deleteWorker(db: Db | Trx, workerId: string): Promise<void> {
  await db('workers').where({ id: workerId }).delete();
}

/** True when nobody holds the worker's lock: its process, or at least its session, is gone. */
export async function isOwnerGone(trx: Trx, workerId: string): Promise<boolean> {
  const { rows } = await trx.raw('select pg_try_advisory_xact_lock(?, hashtext(?)) as free', [
    OWNER_LOCK,
    workerId,
  ]);
  return rows[0].free;
}
