/**
 * A worker and the local sandboxes that it made: they live and die with it.
 *
 * Race ledger
 * - A worker dies → its session ends, its advisory lock falls, and any other worker closes its rows within seconds
 *   as `host_restart`, which does not count as a failure of the spec.
 * - A worker loses only its session (Postgres restarted) → others may close its rows; its sandboxes are then answered
 *   410 and end by themselves. It takes the lock again.
 * - A row is closed while its sandbox is being made → `ensure` sees that and destroys it.
 */
import { listClosing, listOwners, listUnfinished, markGone } from '../../db/sandboxes.ts';
import { isOwnerGone } from '../../db/workers.ts';
import { messageOf } from '../../errors.ts';
import type { SandboxProvider } from '../../sandbox/provider.ts';
import type { Deps } from '../deps.ts';
import { loseSandbox } from './lose.ts';

/** Ends this worker's sandboxes whose rows say so. One failure never keeps the others. */
export async function endClosing(deps: Deps, provider: SandboxProvider): Promise<void> {
  for (const row of await listClosing(deps.db, deps.workerId)) {
    try {
      await provider.destroy(row.id);
      await markGone(deps.db, row.id);
    } catch (error) {
      deps.log.error({ sandbox: row.id, error: messageOf(error) }, 'sandbox could not be ended');
    }
  }
}

/** Closes the rows of workers that are gone, so that their specs go on elsewhere. */
export async function adoptOrphans(deps: Deps): Promise<void> {
  for (const owner of await listOwners(deps.db)) {
    if (owner !== deps.workerId) await closeIfGone(deps, owner);
  }
}

async function closeIfGone(deps: Deps, owner: string): Promise<void> {
  await deps.db.transaction(async (trx) => {
    if (!(await isOwnerGone(trx, owner))) return;
    for (const row of await listUnfinished(trx, owner)) {
      await loseSandbox(deps, { trx, delivery: null }, { sandboxId: row.id, reason: 'host_restart' });
      await markGone(trx, row.id);
    }
  });
}

/** This worker stops: its sandboxes end with it, and their specs go on with the next worker. */
export async function releaseAll(deps: Deps): Promise<void> {
  await deps.db.transaction(async (trx) => {
    for (const row of await listUnfinished(trx, deps.workerId)) {
      await loseSandbox(deps, { trx, delivery: null }, { sandboxId: row.id, reason: 'host_restart' });
      await markGone(trx, row.id);
    }
  });
}
