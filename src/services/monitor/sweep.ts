import { crashPoint } from '../../crash-point.ts';
import { pruneDeliveries } from '../../db/deliveries.ts';
import { listDueEffects } from '../../db/effects.ts';
import { listAbandonedSpecIds, listIdleSpecs, lockSpec } from '../../db/specs.ts';
import { listStaleStatuses } from '../../db/status-leases.ts';
import { messageOf } from '../../errors.ts';
import type { Deps } from '../deps.ts';
import type { JobName } from '../jobs/jobs.ts';
import { carryOut } from '../spec/commands.ts';
import { isLive, type Status } from '../spec/states.ts';

/** What is due for so long without a job is taken up again: the rows are the truth, jobs only point at them. */
const OVERDUE_SECONDS = 60;

type Pass = (deps: Deps, overdueSeconds: number) => Promise<void>;

/** One pass over everything that may have been left behind. One failure never keeps the others. */
export async function sweep(deps: Deps): Promise<void> {
  await runPasses(
    deps,
    { dueEffects, staleStatuses, idleSpecs, abandonedBranches, oldDeliveries },
    OVERDUE_SECONDS,
  );
}

/** A worker died: what is due without anybody at it is taken up at once. A job too many finds nothing to do. */
export async function takeUpWork(deps: Deps): Promise<void> {
  await runPasses(deps, { dueEffects, staleStatuses, idleSpecs }, 0);
}

async function runPasses(deps: Deps, passes: Record<string, Pass>, overdueSeconds: number): Promise<void> {
  for (const [name, pass] of Object.entries(passes)) {
    try {
      await pass(deps, overdueSeconds);
      crashPoint('sweep.mid-pass');
    } catch (error) {
      deps.log.error({ pass: name, error: messageOf(error) }, 'sweep failed, to be tried again');
    }
  }
}

async function dueEffects(deps: Deps, overdueSeconds: number): Promise<void> {
  for (const key of await listDueEffects(deps.db, overdueSeconds)) {
    await deps.db.transaction((trx) => deps.jobs.enqueue(trx, 'effect.publish', { data: { key }, key }));
  }
}

async function staleStatuses(deps: Deps, overdueSeconds: number): Promise<void> {
  for (const specId of await listStaleStatuses(deps.db, overdueSeconds)) {
    await deps.db.transaction((trx) =>
      deps.jobs.enqueue(trx, 'status.sync', { data: { specId }, key: specId }),
    );
  }
}

const jobOf: Readonly<Record<string, JobName>> = {
  queued: 'spec.prepare',
  planning: 'sandbox.ensure',
  executing: 'sandbox.ensure',
  publishing: 'spec.inspect',
};

/** Live specs that should move and have nobody to move them. */
async function idleSpecs(deps: Deps, overdueSeconds: number): Promise<void> {
  for (const { id, status } of await listIdleSpecs(deps.db, overdueSeconds)) {
    const name = jobOf[status];
    if (!name || name === 'effect.publish') continue;
    await deps.db.transaction((trx) => deps.jobs.enqueue(trx, name, { data: { specId: id }, key: id }));
  }
}

/** Ended without a merge, and nobody came back: branch and checkpoint go, under the same conditions as after a merge. */
async function abandonedBranches(deps: Deps): Promise<void> {
  for (const specId of await listAbandonedSpecIds(deps.db, deps.timing.branchGraceDays)) {
    await deps.db.transaction(async (trx) => {
      const spec = await lockSpec(trx, specId);
      if (!spec || isLive(spec.status as Status)) return;
      const unit = { trx, delivery: null };
      await carryOut(deps, unit, { spec, command: { do: 'delete_branch' } });
      await carryOut(deps, unit, { spec, command: { do: 'delete_checkpoint' } });
    });
  }
}

async function oldDeliveries(deps: Deps): Promise<void> {
  await pruneDeliveries(deps.db);
}
