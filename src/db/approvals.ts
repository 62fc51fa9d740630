import type { Db, Trx } from './types.ts';

/** Records that a person approved what `hash` names; a second time changes nothing. */
export async function recordApproval(
  trx: Trx,
  approval: { specId: string; hash: string; by: { readonly id: number; readonly login: string } },
): Promise<void> {
  await trx('approvals')
    .insert({
      spec_id: approval.specId,
      hash: approval.hash,
      approver_id: approval.by.id,
      approver_login: approval.by.login,
    })
    .onConflict(['spec_id', 'hash', 'approver_id'])
    .ignore();
}

/** Whether anybody approved what `hash` names. */
export async function isApproved(db: Db | Trx, specId: string, hash: string): Promise<boolean> {
  return (await db('approvals').where({ spec_id: specId, hash }).first()) !== undefined;
}
