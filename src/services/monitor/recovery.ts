import type { Deps } from '../deps.ts';
import { sweepDeliveries } from './hook-sweep.ts';
import type { Intake } from './intake.ts';
import { reconcile } from './reconcile/pass.ts';

/** What operators set; 0 minutes turn a pass off. */
export interface RecoverySettings {
  readonly deliverySweepMinutes: number;
  readonly reconcileMinutes: number;
  /** An Enterprise Server keeps deliveries for 7 days, github.com for 3. */
  readonly enterprise: boolean;
}

export interface RepeatedPass {
  readonly what: string;
  readonly everyMs: number;
  readonly pass: () => Promise<unknown>;
}

/** The list of what is due has to be read more often than anything in it is due. */
const RECONCILE_LOOP_MINUTES = 5;
const MINUTE_MS = 60_000;

/** The passes that find lost webhooks, at once and then at their times. */
export function recoveryPasses(deps: Deps, intake: Intake, settings: RecoverySettings): RepeatedPass[] {
  const { deliverySweepMinutes: sweepMinutes, reconcileMinutes: everyMinutes, enterprise } = settings;
  const loopMinutes = Math.min(RECONCILE_LOOP_MINUTES, everyMinutes);
  const windowDays = enterprise ? 7 : 3;
  return [
    {
      what: 'lost webhooks',
      everyMs: sweepMinutes * MINUTE_MS,
      pass: () => sweepDeliveries(deps, intake, { windowDays, pauseSeconds: pauseOf(sweepMinutes) }),
    },
    {
      what: 'reconcile',
      everyMs: loopMinutes * MINUTE_MS,
      pass: () => reconcile(deps, intake, { everyMinutes, pauseSeconds: pauseOf(loopMinutes) }),
    },
  ].filter(({ everyMs }) => everyMs > 0);
}

/** Several processes share the passes: a little less than the time between two of one process. */
function pauseOf(minutes: number): number {
  return minutes * 48;
}
