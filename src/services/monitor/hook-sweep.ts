/**
 * Webhooks that GitHub tells of and that never reached the inbox. GitHub sends nothing again by itself; its list of
 * deliveries is read from the newest back to where the pass before began, and what is missing is asked for again,
 * under its own GUID. What GitHub believes delivered (the database was restored from a backup, or another deployment
 * answered) is not sent again but read, and goes into the inbox by the same door.
 *
 * Race ledger
 * - Two processes sweep → one has the lease; one that lost it (it was stopped for two minutes) finds its next page
 *   refused and ends. A page read twice notes the same rows.
 * - The process dies mid-pass → the cursor of the last whole page is stored; the next pass goes on there.
 * - A delivery is redelivered while its first attempt still comes in → the GUID is the inbox's key: a duplicate.
 * - It arrives between our look and our call → the same.
 */
import { crashPoint } from '../../crash-point.ts';
import { databaseNow } from '../../db/deliveries.ts';
import {
  endMissed,
  knownGuids,
  listDueMissed,
  type MissedDelivery,
  noteMissed,
  retryMissedIn,
  settleMissed,
} from '../../db/missed-deliveries.ts';
import { keepSweep, leaveSweep, takeSweep } from '../../db/sweeps.ts';
import { messageOf, RetryableError } from '../../errors.ts';
import {
  type HookDelivery,
  listHookDeliveries,
  readHookPayload,
  redeliver,
} from '../../github/deliveries.ts';
import type { Deps } from '../deps.ts';
import type { Intake } from './intake.ts';

export interface HookSweepOptions {
  /** How long GitHub keeps deliveries: 3 days, 7 on an Enterprise Server. */
  readonly windowDays: number;
  /** Seconds since the last pass, of any process, before there is another one. */
  readonly pauseSeconds: number;
}

/** What all passes of a deployment came to; in the sweep's row, for the log and for health. */
interface Totals {
  readonly redelivered: number;
  readonly fed: number;
  readonly givenUp: number;
  readonly expired: number;
}

interface State {
  /** When this deployment swept first; what others acknowledged before is theirs. */
  readonly since: string;
  /** Everything older has been looked at. */
  readonly watermark: string | null;
  /** A pass under way: when it began, and the page at which it goes on. */
  readonly startedAt: string | null;
  readonly cursor: string | null;
  readonly totals: Totals;
}

export const HOOK_SWEEP = 'deliveries';
/** An attempt is listed when it is over, some seconds after it began, and clocks differ by minutes. */
const OVERLAP_MS = 15 * 60_000;
/** Of a hundred deliveries each; what is left is for the next pass. */
const PAGES = 20;
/** What GitHub holds back it sends by itself; after so long it counts as lost. */
const THROTTLED_SECONDS = 900;
const MOST_A_PASS = 50;
const MOST_ATTEMPTS = 6;
const FIRST_RETRY_SECONDS = 300;
const LONGEST_RETRY_SECONDS = 6 * 3600;
const DAY_MS = 86_400_000;

/** One pass; null while another process is at it, or when the last pass is not long ago. */
export async function sweepDeliveries(
  deps: Deps,
  intake: Intake,
  options: HookSweepOptions,
): Promise<Totals | null> {
  const { db, workerId: owner } = deps;
  const taken = await takeSweep(db, HOOK_SWEEP, { owner, pauseSeconds: options.pauseSeconds });
  if (!taken) return null;
  let finished = false;
  try {
    const now = await databaseNow(db);
    const scanned = await scan(deps, intake, { state: stateOf(taken, now), now, options });
    if (!scanned) return null;
    const done = await recover(deps, intake, { since: new Date(scanned.since), options });
    const totals = add(scanned.totals, done);
    await keepSweep(db, HOOK_SWEEP, { owner, state: { ...scanned, totals } });
    finished = true;
    if (Object.values(done).some((count) => count > 0)) deps.log.info({ ...done }, 'swept lost webhooks');
    return done;
  } finally {
    await leaveSweep(db, HOOK_SWEEP, { owner, finished });
  }
}

function stateOf(stored: Record<string, unknown>, now: Date): State {
  const fresh: State = {
    since: now.toISOString(),
    watermark: null,
    startedAt: null,
    cursor: null,
    totals: { redelivered: 0, fed: 0, givenUp: 0, expired: 0 },
  };
  return { ...fresh, ...stored };
}

function add(all: Totals, more: Totals): Totals {
  return {
    redelivered: all.redelivered + more.redelivered,
    fed: all.fed + more.fed,
    givenUp: all.givenUp + more.givenUp,
    expired: all.expired + more.expired,
  };
}

interface Scan {
  readonly state: State;
  readonly now: Date;
  readonly options: HookSweepOptions;
}

/** Reads pages until the last pass's beginning, or the bound; null when the lease was lost. */
async function scan(deps: Deps, intake: Intake, { state, now, options }: Scan): Promise<State | null> {
  const oldest = now.getTime() - options.windowDays * DAY_MS;
  const floor = Math.max(oldest, state.watermark === null ? 0 : Date.parse(state.watermark));
  let at: State = state.startedAt === null ? { ...state, startedAt: now.toISOString() } : state;
  for (let pages = 0; pages < PAGES; pages += 1) {
    const page = await listHookDeliveries(deps.github, at.cursor);
    if (page === 'stale') return { ...at, startedAt: null, cursor: null };
    await noteUnknown(deps, intake, page.items);
    crashPoint('sweep.mid-pass');
    const over = page.next === undefined || page.items.some((one) => one.deliveredAt.getTime() < floor);
    at = over ? completed(at) : { ...at, cursor: page.next };
    if (!(await keepSweep(deps.db, HOOK_SWEEP, { owner: deps.workerId, state: at }))) return null;
    if (over) return at;
  }
  return at;
}

function completed(state: State): State {
  const watermark = new Date(Date.parse(state.startedAt!) - OVERLAP_MS).toISOString();
  return { ...state, watermark, startedAt: null, cursor: null };
}

async function noteUnknown(deps: Deps, intake: Intake, items: readonly HookDelivery[]): Promise<void> {
  const wanted = items.filter((one) => intake.handles(one.event, one.action));
  const known = await knownGuids(
    deps.db,
    wanted.map(({ guid }) => guid),
  );
  const missed = wanted.filter(({ guid }) => !known.has(guid));
  await noteMissed(
    deps.db,
    missed.map((one) => ({
      guid: one.guid,
      delivery_id: one.id,
      event: one.event,
      action: one.action,
      delivered_at: one.deliveredAt,
      acknowledged: one.ok,
      wait_seconds: one.throttled ? THROTTLED_SECONDS : 0,
    })),
  );
}

async function recover(
  deps: Deps,
  intake: Intake,
  { since, options }: { since: Date; options: HookSweepOptions },
): Promise<Totals> {
  const { expired } = await settleMissed(deps.db, options.windowDays);
  if (expired > 0) deps.log.warn({ expired }, 'webhooks are lost for good, left to the reconciler');
  const totals = { redelivered: 0, fed: 0, givenUp: 0, expired };
  for (const missed of await listDueMissed(deps.db, MOST_A_PASS)) {
    if (intake.signal?.aborted) break;
    try {
      const what = await recoverOne(deps, intake, { missed, since });
      if (what !== 'settled') totals[what] += 1;
    } catch (error) {
      const { guid, attempts } = missed;
      deps.log.warn({ delivery: guid, attempts, error: messageOf(error) }, 'lost webhook not recovered yet');
      await retryMissedIn(deps.db, guid, pauseAfter(attempts));
      // A limit holds for all of them; anything else may be about this one.
      if (error instanceof RetryableError && error.retryAt) break;
    }
  }
  return totals;
}

type Recovered = 'redelivered' | 'fed' | 'givenUp' | 'settled';

async function recoverOne(
  deps: Deps,
  intake: Intake,
  { missed, since }: { missed: MissedDelivery; since: Date },
): Promise<Recovered> {
  const { guid, delivery_id: id, attempts } = missed;
  if (missed.acknowledged && missed.delivered_at < since) {
    await endMissed(deps.db, guid, 'arrived');
    return 'settled';
  }
  if (attempts >= MOST_ATTEMPTS) return giveUp(deps, missed, 'it failed too often');
  if (missed.acknowledged) return feed(deps, intake, missed);
  if ((await redeliver(deps.github, id)) === 'gone') return giveUp(deps, missed, 'GitHub has it no longer');
  await retryMissedIn(deps.db, guid, pauseAfter(attempts));
  return 'redelivered';
}

async function feed(deps: Deps, intake: Intake, missed: MissedDelivery): Promise<Recovered> {
  const payload = await readHookPayload(deps.github, missed.delivery_id);
  if (payload === undefined) return giveUp(deps, missed, 'GitHub has it no longer');
  const body = Buffer.from(JSON.stringify(payload));
  const stored = await intake.accept({ guid: missed.guid, event: missed.event, body });
  if (stored === 'unavailable') throw new RetryableError('the inbox took no delivery');
  await endMissed(deps.db, missed.guid, 'fed');
  return stored === 'stored' ? 'fed' : 'settled';
}

async function giveUp(deps: Deps, missed: MissedDelivery, why: string): Promise<Recovered> {
  const { guid: delivery, event, action, attempts } = missed;
  deps.log.error({ delivery, event, action, attempts, why }, 'lost webhook given up, left to the reconciler');
  await endMissed(deps.db, delivery, 'given_up');
  return 'givenUp';
}

/** Seconds until the next try: 5 minutes, doubling, at most 6 hours. */
function pauseAfter(attempts: number): number {
  return Math.min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2 ** attempts);
}
