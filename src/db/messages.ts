import type { Trx } from './types.ts';

export interface MessageRow {
  id: string;
  spec_id: string;
  kind: 'message' | 'interrupt';
  text: string;
  created_at: Date;
  delivered_at: Date | null;
}

/** One answer carries at most so many; the rest follows when these are acknowledged. */
const AT_ONCE = 20;

/** Messages of a spec that no sandbox has acknowledged yet, oldest first. */
export async function pendingMessages(trx: Trx, specId: string): Promise<MessageRow[]> {
  return trx('messages')
    .where({ spec_id: specId, delivered_at: null })
    .orderBy(['created_at', 'id'])
    .limit(AT_ONCE);
}

/** Notes that the sandbox has them; ids of other specs and repeats change nothing. */
export async function markDelivered(trx: Trx, specId: string, ids: readonly string[]): Promise<void> {
  await trx('messages')
    .where({ spec_id: specId, delivered_at: null })
    .whereIn('id', [...ids])
    .update({ delivered_at: trx.raw('specwright_now()') });
}
