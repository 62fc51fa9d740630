import { createPool } from '../../src/db/connect.ts';
import { createDeliveryStore } from '../../src/db/deliveries.ts';
import { handlerOf } from '../../src/handlers/index.ts';
import type { Running } from '../../src/main.ts';
import { createAccept } from '../../src/services/inbox/accept.ts';
import { type HookSweepOptions, sweepDeliveries } from '../../src/services/monitor/hook-sweep.ts';
import type { Intake } from '../../src/services/monitor/intake.ts';
import { type ReconcileOptions, reconcile } from '../../src/services/monitor/reconcile/pass.ts';
import { type Desk, openDesk } from './desk.ts';

/** The passes that find lost webhooks, begun by hand: now, and over everything. */
export interface Recovery {
  readonly intake: Intake;
  sweep(options?: Partial<HookSweepOptions>): ReturnType<typeof sweepDeliveries>;
  reconcile(options?: Partial<ReconcileOptions>): ReturnType<typeof reconcile>;
  close(): Promise<void>;
}

export function recoveryOf(app: Running): Recovery {
  const { deps, databaseUrl } = app.opened;
  const pool = createPool(databaseUrl, 1);
  const intake: Intake = {
    accept: createAccept({ store: createDeliveryStore(pool), log: deps.log }),
    handles: (name, action) => handlerOf(name, action) !== null,
  };
  return {
    intake,
    sweep: (options) => sweepDeliveries(deps, intake, { windowDays: 3, pauseSeconds: 0, ...options }),
    reconcile: (options) =>
      reconcile(deps, intake, {
        everyMinutes: 60,
        pauseSeconds: 0,
        graceSeconds: 0,
        all: true,
        ...options,
      }),
    close: () => pool.end(),
  };
}

/** A desk at which nothing is lost yet: the first passes have found what there was before the App ran. */
export async function openRecoveryDesk(): Promise<{ desk: Desk; recovery: Recovery }> {
  const desk = await openDesk();
  const recovery = recoveryOf(desk.app);
  await recovery.sweep();
  await recovery.reconcile();
  await desk.settle();
  return { desk, recovery };
}
