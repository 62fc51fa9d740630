/**
 * Publishes one effect.
 *
 * Race ledger
 * - GitHub commits and then answers 502, or we die before the answer → `attempted_at` was set before the call, so
 *   the next attempt looks the object up by its natural key before it creates (test/integration/effects). A comment has
 *   none that GitHub knows, and lists lag: it is looked for by its marker for 12 s before it is sent again, and after
 *   that until the list shows one and no more; surplus copies are removed (test/integration/fault-matrix).
 * - The job runs twice → the lease lets one through; the other finds nothing to do.
 * - We die with the lease → it ends with us: whoever notices releases it and asks again (test/crash).
 * - We live and lose the database in the middle of it → the job's next attempt finds the lease and comes again when it
 *   has ended (test/integration/effect-leases).
 * - A publisher outlives its lease (its process was stopped for longer) → both look up first; surplus copies of our
 *   marker are removed by the look-up.
 */
import { crashPoint } from '../../crash-point.ts';
import {
  abandonEffect,
  ageOfEffect,
  deferEffect,
  type EffectRow,
  finishEffect,
  leaseOfEffect,
  readEffect,
  secondsInDoubt,
  takeEffect,
} from '../../db/effects.ts';
import { readSpec } from '../../db/specs.ts';
import { outdateStatus } from '../../db/status-leases.ts';
import type { Trx } from '../../db/types.ts';
import { messageOf, RetryableError } from '../../errors.ts';
import { explain, isDefinite } from '../../github/explain.ts';
import type { Deps } from '../deps.ts';
import { advance } from '../spec/advance.ts';
import type { SpecInput } from '../spec/inputs.ts';
import type { Published } from './publisher.ts';
import { keepFirst } from './publishers/comments.ts';
import { publisherOf } from './registry.ts';
import { reachOf } from './target.ts';

/** Longer than any publisher may take: a handful of calls of at most 10 s under a 20 s job. */
const LEASE_SECONDS = 30;
const DAY_SECONDS = 24 * 3600;

/** Well under the 25 s after which a job counts as stuck. Milliseconds. */
const PUBLISH_MS = 18_000;
/** Refusals that time alone seldom changes: so long for what nobody waits for. */
const REFUSED_SECONDS = 15 * 60;
/** A comment that is not to be seen yet is looked for again after this. */
const UNSEEN_SECONDS = 3;
/** A copy that was made in doubt is looked for after this, and again until the list shows one comment and no more. */
const SECOND_LOOK_SECONDS = 30;
const MOST_SECOND_LOOKS = 10;

/** Looks at a key and does what is still to do. */
export async function publishEffect(
  deps: Deps,
  { key, maybeTwice }: { key: string; maybeTwice?: { issue: number; looks?: number } },
): Promise<void> {
  if (maybeTwice) return lookForSecond(deps, key, maybeTwice);
  const unclearSeconds = await secondsInDoubt(deps.db, key);
  const effect = await takeEffect(deps.db, key, { owner: deps.workerId, seconds: LEASE_SECONDS });
  if (!effect) return lookAfterLease(deps, key);
  const reach = await reachOf(deps.db, effect.repository_id);
  if (reach.kind === 'shut') return abandon(deps, effect, reach.reason);
  if (reach.kind === 'paused') return defer(deps, effect, { error: reach.reason, seconds: 60 });
  const spec = effect.spec_id === null ? null : await readSpec(deps.db, effect.spec_id);
  try {
    crashPoint('effect.before-call');
    const github = deps.github.within({ signal: AbortSignal.timeout(PUBLISH_MS) });
    const published = await publisherOf(effect.kind)(
      { ...deps, github },
      { effect, spec, repo: reach.repo, triedBefore: effect.attempted_at !== null, unclearSeconds },
    );
    crashPoint('effect.after-call');
    await settle(deps, effect, published);
  } catch (error) {
    await postpone(deps, effect, error);
  }
}

/** Who has it may have lost its session, and then nobody would look before the next sweep. */
async function lookAfterLease(deps: Deps, key: string): Promise<void> {
  const seconds = await leaseOfEffect(deps.db, key);
  if (seconds === null) return;
  const later = { key: `${key}/lease`, delaySeconds: Math.ceil(seconds) };
  await deps.db.transaction((trx) => deps.jobs.enqueue(trx, 'effect.publish', { data: { key }, ...later }));
}

async function settle(deps: Deps, effect: EffectRow, published: Published): Promise<void> {
  if (published.kind === 'done') return record(deps, effect, published);
  if (published.kind === 'unseen') {
    return defer(deps, effect, { error: 'sent, but not to be seen yet', seconds: UNSEEN_SECONDS });
  }
  const age = await ageOfEffect(deps.db, effect.effect_key);
  if (!published.again || age > deadlineOf(deps, effect)) return abandon(deps, effect, published.cause);
  return defer(deps, effect, { error: published.cause, seconds: backoff(effect) });
}

async function record(
  deps: Deps,
  effect: EffectRow,
  published: Extract<Published, { kind: 'done' }>,
): Promise<void> {
  await deps.db.transaction(async (trx) => {
    if (!(await finishEffect(trx, effect.effect_key, published.externalId))) return;
    crashPoint('effect.before-commit');
    if (published.maybeTwice)
      await secondLookLater(deps, { trx, key: effect.effect_key }, published.maybeTwice);
    const specId = effect.spec_id;
    if (specId === null) return;
    if (published.input) await advance(deps, { trx, delivery: null }, { specId, input: published.input });
    if (effect.kind === 'delete_branch') await tellFate(deps, trx, specId);
  });
  crashPoint('effect.recorded');
}

/** The last status tells what became of the branch: it waits a moment for that, and is written again if it came late. */
async function tellFate(deps: Deps, trx: Trx, specId: string): Promise<void> {
  await outdateStatus(trx, specId);
  await deps.jobs.enqueue(trx, 'status.sync', { data: { specId }, key: specId });
}

async function secondLookLater(
  deps: Deps,
  { trx, key }: { trx: Trx; key: string },
  maybeTwice: { issue: number; looks?: number },
): Promise<void> {
  const later = { key: `${key}/twice`, delaySeconds: SECOND_LOOK_SECONDS };
  await deps.jobs.enqueue(trx, 'effect.publish', { data: { key, maybeTwice }, ...later });
}

/** Removes surplus copies of a comment that was made in doubt. */
async function lookForSecond(
  deps: Deps,
  key: string,
  { issue, looks = 0 }: { issue: number; looks?: number },
): Promise<void> {
  const effect = await readEffect(deps.db, key);
  if (!effect) return;
  const reach = await reachOf(deps.db, effect.repository_id);
  if (reach.kind !== 'open') return;
  const { first, surplus } = await keepFirst(deps, reach.repo, { issue, key });
  // An empty list lags, and what was deleted is believed when it is not there any more.
  if ((first && surplus === 0) || looks + 1 >= MOST_SECOND_LOOKS) return;
  await deps.db.transaction((trx) => secondLookLater(deps, { trx, key }, { issue, looks: looks + 1 }));
}

async function postpone(deps: Deps, effect: EffectRow, error: unknown): Promise<void> {
  const age = await ageOfEffect(deps.db, effect.effect_key);
  const message = messageOf(error);
  if (age > deadlineOf(deps, effect, isDefinite(error))) return abandon(deps, effect, explain(error));
  const asked = error instanceof RetryableError && error.retryAt ? error.retryAt.getTime() - Date.now() : 0;
  deps.log.warn({ effect: effect.effect_key, error: message }, 'effect deferred');
  return defer(deps, effect, { error: message, seconds: Math.max(backoff(effect), Math.ceil(asked / 1000)) });
}

async function defer(deps: Deps, effect: EffectRow, why: { error: string; seconds: number }): Promise<void> {
  const key = effect.effect_key;
  await deferEffect(deps.db, { key, ...why });
  await deps.db.transaction((trx) =>
    deps.jobs.enqueue(trx, 'effect.publish', { data: { key }, key, delaySeconds: why.seconds }),
  );
}

/** Gives up for good: logged for operators, and told to the spec where it can't go on without. */
async function abandon(deps: Deps, effect: EffectRow, cause: string): Promise<void> {
  deps.log.error({ effect: effect.effect_key, cause }, 'effect abandoned');
  const input = consequenceOf(effect, cause);
  await deps.db.transaction(async (trx) => {
    if (!(await abandonEffect(trx, effect.effect_key, cause))) return;
    if (effect.spec_id === null) return;
    if (effect.kind === 'delete_branch') await tellFate(deps, trx, effect.spec_id);
    if (!input) return;
    await advance(deps, { trx, delivery: null }, { specId: effect.spec_id, input });
  });
}

function consequenceOf(effect: EffectRow, cause: string): SpecInput | null {
  const publishing = effect.kind === 'move_branch' || effect.kind === 'open_pull';
  return publishing ? { type: 'publish_failed', cause } : null;
}

function deadlineOf(deps: Deps, effect: EffectRow, refused = false): number {
  const publishing = effect.kind === 'move_branch' || effect.kind === 'open_pull';
  if (publishing) return deps.timing.pullRetryMinutes * 60;
  return refused ? REFUSED_SECONDS : DAY_SECONDS;
}

/** 1, 2, 4 … 300 s. */
function backoff(effect: EffectRow): number {
  return Math.min(300, 2 ** Math.min(effect.attempts, 9));
}
