/**
 * Ends a worker's sandboxes whose rows say so.
 *
 * Race ledger
 * - Two passes at once (a notice comes during a look) → one sandbox is ended by one of them.
 * - A sandbox does not end, or not in time → the others are ended beside it; it is tried again, less and less often.
 * - The process dies in between → its sandboxes die with it, and others close the rows.
 */
import { crashPoint } from '../../crash-point.ts';
import { listClosing, markGone } from '../../db/sandboxes.ts';
import { messageOf, RetryableError } from '../../errors.ts';
import type { SandboxProvider } from '../../sandbox/provider.ts';
import type { Deps } from '../deps.ts';

/** A pass waits no longer than this for one sandbox; its end goes on beside the next passes. */
const END_WITHIN_MS = 15_000;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 60_000;

interface Trial {
  failures: number;
  notBefore: number;
  busy: boolean;
}

/** Makes the pass that ends closing sandboxes of this worker. One failure never keeps the others. */
export function createEnder(deps: Deps, provider: SandboxProvider): () => Promise<void> {
  const trials = new Map<string, Trial>();
  return async () => {
    const rows = await listClosing(deps.db, deps.workerId);
    const ids = new Set(rows.map(({ id }) => id));
    for (const [id, { busy }] of trials) if (!ids.has(id) && !busy) trials.delete(id);
    await Promise.all([...ids].map((id) => tryToEnd(deps, provider, { id, trials })));
  };
}

async function tryToEnd(
  deps: Deps,
  provider: SandboxProvider,
  { id, trials }: { id: string; trials: Map<string, Trial> },
): Promise<void> {
  const trial = trials.get(id) ?? { failures: 0, notBefore: 0, busy: false };
  trials.set(id, trial);
  if (trial.busy || deps.clock.now().getTime() < trial.notBefore) return;
  trial.busy = true;
  const ended = end(deps, provider, id).finally(() => {
    trial.busy = false;
  });
  try {
    await inTime(deps, ended);
  } catch (error) {
    trial.failures += 1;
    const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** trial.failures);
    trial.notBefore = deps.clock.now().getTime() + waitMs;
    deps.log.error({ sandbox: id, error: messageOf(error), waitMs }, 'sandbox could not be ended');
  }
}

async function end(deps: Deps, provider: SandboxProvider, id: string): Promise<void> {
  crashPoint('sandbox.before-destroy');
  await provider.destroy(id);
  crashPoint('sandbox.destroyed');
  await markGone(deps.db, id);
}

async function inTime({ clock }: Deps, work: Promise<void>): Promise<void> {
  const settled = new AbortController();
  try {
    const late = clock.sleep(END_WITHIN_MS, settled.signal).then(() => 'late' as const);
    if ((await Promise.race([work, late])) === 'late') {
      throw new RetryableError(`it has not ended within ${END_WITHIN_MS} ms`);
    }
  } finally {
    settled.abort();
  }
}
