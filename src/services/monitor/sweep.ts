import { listDueEffects } from '../../db/effects.ts';
import { listSilent } from '../../db/sandboxes.ts';
import { listIdleSpecs } from '../../db/specs.ts';
import { listStaleStatuses } from '../../db/status-leases.ts';
import { pruneDeliveries } from '../../db/deliveries.ts';
import { messageOf } from '../../errors.ts';
import type { Deps } from '../deps.ts';
import type { JobName } from '../jobs/jobs.ts';
import { loseSandbox } from '../sandboxes/lose.ts';

/** What is due for so long without a job is taken up again: the rows are the truth, jobs only point at them. */
const OVERDUE_SECONDS = 60;

/** One pass over everything that may have been left behind. One failure never keeps the others. */
export async function sweep(deps: Deps): Promise<void> {
  const passes = { silentSandboxes, dueEffects, staleStatuses, idleSpecs, oldDeliveries };
  for (const [name, pass] of Object.entries(passes)) {
    try {
      await pass(deps);
    } catch (error) {
      deps.log.error({ pass: name, error: messageOf(error) }, 'sweep failed, to be tried again');
    }
  }
}

/** No heartbeat for the timeout, by the database's clock: dead. */
async function silentSandboxes(deps: Deps): Promise<void> {
  const seconds = deps.timing.heartbeatTimeoutSeconds;
  for (const row of await listSilent(deps.db, seconds)) {
    const reason = `lost: no heartbeat for ${seconds} s`;
    await deps.db.transaction((trx) =>
      loseSandbox(deps, { trx, delivery: null }, { sandboxId: row.id, reason }),
    );
  }
}

async function dueEffects(deps: Deps): Promise<void> {
  for (const key of await listDueEffects(deps.db, OVERDUE_SECONDS)) {
    await deps.db.transaction((trx) =>
      deps.jobs.enqueue(trx, 'effect.publish', { data: { key }, key }),
    );
  }
}

async function staleStatuses(deps: Deps): Promise<void> {
  for (const specId of await listStaleStatuses(deps.db, OVERDUE_SECONDS)) {
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
async function idleSpecs(deps: Deps): Promise<void> {
  for (const { id, status } of await listIdleSpecs(deps.db, OVERDUE_SECONDS)) {
    const name = jobOf[status];
    if (!name || name === 'effect.publish') continue;
    await deps.db.transaction((trx) => deps.jobs.enqueue(trx, name, { data: { specId: id }, key: id }));
  }
}

async function oldDeliveries(deps: Deps): Promise<void> {
  await pruneDeliveries(deps.db);
}
