import type { SandboxProvider } from '../../sandbox/provider.ts';
import type { Deps } from '../deps.ts';
import { settleLeftCalls } from '../models/calls.ts';
import { endDueHolds } from '../models/due-holds.ts';
import type { RepeatedPass } from '../monitor/recovery.ts';
import { adoptOrphans } from './owner.ts';
import { reap } from './reap.ts';
import { createWatch } from './watch.ts';

const OWNER_PASS_MS = 2000;
/** With the heartbeat's timeout this is the longest time until a loss is noticed. */
const WATCH_MS = 5000;
const REAP_MS = 3 * 60_000;
const LEFT_TOKENS_MS = 5000;
const LEFT_CALLS_MS = 30_000;
const HOLDS_MS = 5000;

/** What a worker looks after again and again so that no sandbox is forgotten; `endClosing` ends its own, `revokeLeft` their tokens. */
export function sandboxPasses(
  deps: Deps,
  provider: SandboxProvider | null,
  { endClosing, revokeLeft }: { endClosing: () => Promise<void>; revokeLeft: () => Promise<void> },
): RepeatedPass[] {
  return [
    { what: 'lost sandboxes', everyMs: WATCH_MS, pass: createWatch(deps) },
    { what: 'owned sandboxes', everyMs: OWNER_PASS_MS, pass: endClosing },
    { what: 'orphans', everyMs: OWNER_PASS_MS, pass: () => adoptOrphans(deps) },
    { what: 'holds', everyMs: HOLDS_MS, pass: () => endDueHolds(deps) },
    { what: 'left calls to models', everyMs: LEFT_CALLS_MS, pass: () => settleLeftCalls(deps) },
    { what: 'left tokens', everyMs: LEFT_TOKENS_MS, pass: revokeLeft },
    ...(provider ? [{ what: 'reap', everyMs: REAP_MS, pass: () => reap(deps, provider) }] : []),
  ];
}
