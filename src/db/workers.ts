import type { Db, Trx } from './types.ts';

/** The channel on which a worker hears that one of its sandboxes is to be ended. */
export const CLOSING_CHANNEL = 'specwright_closing';

/** The advisory lock class under which a worker shows that it lives. */
const OWNER_LOCK = 7_301;

/** Wakes the owner of a sandbox once the transaction commits. */
export async function notifyOwner(trx: Trx, owner: string): Promise<void> {
  await trx.raw('select pg_notify(?, ?)', [CLOSING_CHANNEL, owner]);
}

export async function insertWorker(db: Db, worker: { id: string; pid: number }): Promise<void> {
  await db('workers').insert(worker);
}

/** The statement a worker runs on its own session; the lock falls with the session, so with the process. */
export function holdOwnerLock(workerId: string): { text: string; values: unknown[] } {
  return { text: 'select pg_advisory_lock($1, hashtext($2))', values: [OWNER_LOCK, workerId] };
}

/** True when nobody holds the worker's lock: its process, or at least its session, is gone. */
export async function isOwnerGone(trx: Trx, workerId: string): Promise<boolean> {
  const { rows } = await trx.raw('select pg_try_advisory_xact_lock(?, hashtext(?)) as free', [
    OWNER_LOCK,
    workerId,
  ]);
  return rows[0].free;
}
