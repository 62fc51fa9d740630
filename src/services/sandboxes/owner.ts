/**
 * A worker and what lives and dies with it: its local sandboxes and its leases.
 *
 * Race ledger
 * - A worker dies → its session ends, its advisory lock falls, and any other worker closes its rows within seconds
 *   as `host_restart`, which does not count as a failure of the spec, ends its leases and asks for the jobs again
 *   that it may have had in hand: pg-boss itself would notice after 10 s only, and a lease would run for 30 s.
 * - Whoever writes a dead worker off dies in the middle of it → the worker's row goes last, so the next one does all
 *   of it again; each part changes nothing the second time.
 * - A worker loses only its session (Postgres restarted) → others may close its rows; its sandboxes are then answered
 *   410 and end by themselves. It takes the lock again, and with the lock it writes its row again. An effect in its
 *   hands may be published by two; both look first, and surplus copies are removed.
 * - A row is closed while its sandbox is being made → `ensure` sees that and destroys it.
 */
import { crashPoint } from '../../crash-point.ts';
import { releaseEffects } from '../../db/effects.ts';
import { hasPushUnderWay } from '../../db/pushes.ts';
import { listUnfinished, liveSandbox, markGone } from '../../db/sandboxes.ts';
import { lockSpec } from '../../db/specs.ts';
import { releaseStatusLeases } from '../../db/status-leases.ts';
import type { Trx } from '../../db/types.ts';
import { deleteWorker, isOwnerGone, listWorkers } from '../../db/workers.ts';
import { messageOf } from '../../errors.ts';
import type { Deps } from '../deps.ts';
import { takeUpWork } from '../monitor/sweep.ts';
import { advance } from '../spec/advance.ts';
import { fenceOff } from './fence.ts';
import { loseSandbox } from './lose.ts';

/** Part of the time that a stopping worker has left for its sandboxes. */
const PUSH_WAIT_MS = 2000;
const PUSH_LOOK_MS = 20;

/** Writes off workers that are gone, so that their specs go on elsewhere. */
export async function adoptOrphans(deps: Deps): Promise<void> {
  const gone: string[] = [];
  for (const owner of await listWorkers(deps.db)) {
    if (owner !== deps.workerId && (await closeIfGone(deps, owner))) gone.push(owner);
  }
  if (gone.length === 0) return;
  crashPoint('orphans.written-off');
  deps.log.warn({ workers: gone }, 'workers are gone, taking up their work');
  await takeUpWork(deps);
  for (const owner of gone) {
    // Under the lock: a worker that came back meanwhile has written its row again, or will.
    await deps.db.transaction(async (trx) => {
      if (await isOwnerGone(trx, owner)) await deleteWorker(trx, owner);
    });
  }
}

async function closeIfGone(deps: Deps, owner: string): Promise<boolean> {
  try {
    return await deps.db.transaction(async (trx) => {
      if (!(await isOwnerGone(trx, owner))) return false;
      await releaseAllOf(deps, trx, owner);
      return true;
    });
  } catch (error) {
    deps.log.error({ worker: owner, error: messageOf(error) }, 'worker could not be written off');
    return false;
  }
}

/**
 * This worker stops: its sandboxes end with it, and their specs go on with the next worker. First they are fenced off,
 * then a push that is under way is waited for: a sandbox that started before it arrived would work on the wrong base.
 */
export async function releaseAll(deps: Deps): Promise<void> {
  const specIds = await deps.db.transaction((trx) => fenceAll(trx, deps.workerId));
  await pushesEnd(deps);
  crashPoint('shutdown.fenced');
  await deps.db.transaction(async (trx) => {
    const input = { type: 'sandbox_lost', reason: 'host_restart', exhausted: false } as const;
    for (const specId of specIds) await advance(deps, { trx, delivery: null }, { specId, input });
    await releaseAllOf(deps, trx, deps.workerId);
    await deleteWorker(trx, deps.workerId);
  });
}

/** From the commit on every call out of these sandboxes is answered 410. Answers the specs that need another one. */
async function fenceAll(trx: Trx, owner: string): Promise<string[]> {
  const specIds: string[] = [];
  for (const row of await listUnfinished(trx, owner)) {
    await lockSpec(trx, row.spec_id);
    // Before the lock it may have been lost, and another worker's sandbox may live by now.
    if ((await liveSandbox(trx, row.spec_id))?.id !== row.id) continue;
    await fenceOff(trx, row.spec_id, 'host_restart');
    specIds.push(row.spec_id);
  }
  return specIds;
}

async function pushesEnd(deps: Deps): Promise<void> {
  for (let waitedMs = 0; waitedMs < PUSH_WAIT_MS; waitedMs += PUSH_LOOK_MS) {
    if (!(await hasPushUnderWay(deps.db, deps.workerId))) return;
    await deps.clock.sleep(PUSH_LOOK_MS);
  }
}

async function releaseAllOf(deps: Deps, trx: Trx, owner: string): Promise<void> {
  for (const row of await listUnfinished(trx, owner)) {
    await loseSandbox(deps, { trx, delivery: null }, { sandboxId: row.id, reason: 'host_restart' });
    await markGone(trx, row.id);
  }
  await releaseEffects(trx, owner);
  await releaseStatusLeases(trx, owner);
}
