import { loseOpenRuns } from '../../db/runs.ts';
import { markClosing, type SandboxRow } from '../../db/sandboxes.ts';
import { raiseGeneration } from '../../db/specs.ts';
import type { Trx } from '../../db/types.ts';
import { notifyOwner } from '../../db/workers.ts';

/**
 * Fences a spec's sandboxes off: from the commit on every call of theirs is answered 410, the open step will never be
 * answered, and the live one's owner is asked to end it. The caller holds the spec's lock. Answers the row that was
 * live, or null when there was none.
 */
export async function fenceOff(trx: Trx, specId: string, reason: string): Promise<SandboxRow | null> {
  await raiseGeneration(trx, specId);
  await loseOpenRuns(trx, specId);
  const row = await markClosing(trx, specId, reason);
  if (row?.owner) await notifyOwner(trx, row.owner);
  return row;
}
