import type { Db, Trx } from './types.ts';

export interface PushRow {
  id: string;
  spec_id: string;
  sandbox_id: string;
  ref: string;
  old_sha: string;
  new_sha: string;
  state: 'intended' | 'accepted' | 'refused' | 'unknown';
  created_at: Date;
}

/** Records a push before it is forwarded. */
export async function insertPush(db: Db | Trx, push: Omit<PushRow, 'state' | 'created_at'>): Promise<void> {
  await db('pushes').insert(push);
}

/** Records how a push ended. Null when it was settled before. */
export async function settlePush(
  db: Db | Trx,
  id: string,
  state: Exclude<PushRow['state'], 'intended'>,
): Promise<PushRow | null> {
  const rows = await db('pushes')
    .where({ id })
    .whereIn('state', ['intended', 'unknown'])
    .update({ state })
    .returning('*');
  return rows[0] ?? null;
}

/** Whether a push out of one of this worker's sandboxes is under way. */
export async function hasPushUnderWay(db: Db, owner: string): Promise<boolean> {
  const row = await db('pushes')
    .join('sandboxes', 'sandboxes.id', 'pushes.sandbox_id')
    .where({ owner, 'pushes.state': 'intended' })
    .first('pushes.id');
  return row !== undefined;
}

/** The spec's pushes of which nobody knows whether they arrived: the host has to be asked. Oldest first. */
export async function listUnclearPushes(db: Db | Trx, specId: string): Promise<PushRow[]> {
  return db('pushes')
    .where({ spec_id: specId })
    .whereIn('state', ['intended', 'unknown'])
    .orderBy('created_at');
}
