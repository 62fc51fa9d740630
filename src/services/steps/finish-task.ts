import { settleTickets, updateTask } from '../../db/tasks.ts';
import type { Deps, Unit } from '../deps.ts';
import { advance } from '../spec/advance.ts';

/** A task is done once its commit is in the checkpoint, or once it needed none. */
export async function finishTask(
  deps: Deps,
  unit: Unit,
  done: { specId: string; ordinal: number; sha: string | null },
): Promise<void> {
  await updateTask(unit.trx, done, { state: 'done', commit_sha: done.sha, feedback: null });
  await settleTickets(unit.trx, done.specId);
  await advance(deps, unit, { specId: done.specId, input: { type: 'progressed' } });
}
