// Race ledger
// - A claim ends while its worker still gathers (killed, or slow) → another worker gathers too; both come to decide, the
//   lane's lock and the look at its head let one through, the other drops its answers (test).
// - A delivery with a lower number becomes visible after a later one was claimed (two commits in flight) → the later one
//   is no longer the head, is let go and comes after it. If it was decided already, the order is the order of commits.
// - A crash between gather and the commit of decide → nothing was written; the claim ends and all is done again (test).
// - A crash after that commit → the row is handled; a worker that claimed it finds it is not pending and drops it.

import type { Clock } from '../../clock.ts';
import { crashPoint } from '../../crash-point.ts';
import {
  type ClaimedDelivery,
  databaseNow,
  finishDeliveries,
  type GatheredColumn,
  lockHead,
  postponeDelivery,
} from '../../db/deliveries.ts';
import type { Db } from '../../db/types.ts';
import { FatalError, RetryableError, StaleError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { Decision, Dispatcher, Gathered, InboxEvent } from './dispatch.ts';
import { describeFailure, summarise } from './failure.ts';
import { readPayload } from './read.ts';
import { backoffMs, type InboxSettings } from './settings.ts';

export interface Work {
  db: Db;
  dispatcher: Dispatcher;
  log: Logger;
  clock: Clock;
  settings: InboxSettings;
}

/** What is known when it comes to deciding. */
type Answers = { kind: 'clear'; gathered: Gathered } | { kind: 'never'; since: string; tries: number };

/** A lost race is no fault of the delivery: so many are tried again at once before one counts as a failure. */
const RACES = 5;

/** Gathers and decides one claimed delivery, or puts it off. Throws only if the database fails. */
export async function workOn(work: Work, delivery: ClaimedDelivery): Promise<void> {
  const event = eventOf(delivery);
  if (!event) return await park(work, delivery, new FatalError('the stored body can no longer be read'));
  for (let races = 1; ; races += 1) {
    const failure = await tryOnce(work, delivery, event);
    if (!failure) return;
    const again = failure.error instanceof StaleError && races < RACES;
    if (!again) return await fail(work, delivery, failure);
    work.log.info({ delivery: delivery.guid, races }, 'delivery lost a race, trying again');
    delivery.gathered = null;
  }
}

interface Failure {
  error: unknown;
  gathered: GatheredColumn | null;
}

async function tryOnce(
  work: Work,
  delivery: ClaimedDelivery,
  event: InboxEvent,
): Promise<Failure | undefined> {
  let answers: Answers | 'postponed';
  try {
    answers = await askOnce(work, delivery, event);
  } catch (error) {
    return { error, gathered: null };
  }
  crashPoint('inbox.gathered');
  if (answers !== 'postponed') return await decideOnce(work, delivery, { event, answers });
}

/** Whether anything has to be gathered for a delivery before it can be decided. */
export function mayAsk({ dispatcher }: Work, { event, action }: ClaimedDelivery): boolean {
  return dispatcher.asks?.(event, action) ?? true;
}

/** A delivery as handlers know it; undefined if its body can't be read. */
export function eventOf(delivery: ClaimedDelivery): InboxEvent | undefined {
  const payload = readPayload(delivery.bytes);
  const { guid, event: name, action, installation_id: installationId } = delivery;
  return payload && { guid, name, action, installationId, payload };
}

async function askOnce(
  work: Work,
  delivery: ClaimedDelivery,
  event: InboxEvent,
): Promise<Answers | 'postponed'> {
  const known = delivery.gathered;
  if (known && 'answers' in known) return { kind: 'clear', gathered: known.answers };
  if (!mayAsk(work, delivery)) return { kind: 'clear', gathered: {} };
  try {
    return { kind: 'clear', gathered: await withinLimit(work, work.dispatcher.gather(event)) };
  } catch (error) {
    if (!(error instanceof RetryableError)) throw error;
    return await waitForClarity(work, delivery, error);
  }
}

async function withinLimit<T>({ clock, settings }: Work, asked: Promise<T>): Promise<T> {
  const done = new AbortController();
  const limit = clock.sleep(settings.gatherMs, done.signal).then(() => {
    throw new RetryableError('no answer within the time limit');
  });
  // Whichever loses has nobody to hear of its failure.
  limit.catch(() => {});
  asked.catch(() => {});
  try {
    return await Promise.race([asked, limit]);
  } finally {
    done.abort();
  }
}

async function waitForClarity(
  work: Work,
  delivery: ClaimedDelivery,
  error: RetryableError,
): Promise<Answers | 'postponed'> {
  const now = await databaseNow(work.db);
  const before = delivery.gathered && 'unclear' in delivery.gathered ? delivery.gathered.unclear : undefined;
  const since = before?.since ?? now.toISOString();
  const tries = (before?.tries ?? 0) + 1;
  const left = Date.parse(since) + work.settings.unclearMs - now.getTime();
  if (left <= 0) return { kind: 'never', since, tries };
  const asAdvised = error.retryAt ? error.retryAt.getTime() - work.clock.now().getTime() : 0;
  const delayMs = Math.max(1, Math.min(left, Math.max(backoffMs(tries), asAdvised)));
  work.log.warn(
    { delivery: delivery.guid, tries, delayMs, failure: describeFailure(error) },
    'answers unclear, asking again',
  );
  const gathered = { unclear: { since, tries } };
  const { attempts } = delivery;
  await postponeDelivery(work.db, delivery.guid, { delayMs, attempts, gathered, reason: summarise(error) });
  return 'postponed';
}

async function decideOnce(
  work: Work,
  delivery: ClaimedDelivery,
  { event, answers }: { event: InboxEvent; answers: Answers },
): Promise<Failure | undefined> {
  const gathered: GatheredColumn =
    answers.kind === 'clear'
      ? { answers: answers.gathered }
      : { unclear: { since: answers.since, tries: answers.tries } };
  try {
    const decision = await work.db.transaction(async (trx): Promise<Decision | 'busy' | 'behind'> => {
      const place = await lockHead(trx, delivery);
      if (place !== 'head') return place;
      const made =
        answers.kind === 'clear'
          ? await work.dispatcher.decide(trx, event, answers.gathered)
          : await work.dispatcher.couldNotVerify(trx, event);
      const { outcome: state, reason } = made;
      await finishDeliveries(trx, [{ guid: delivery.guid, state, reason, gathered }]);
      crashPoint('inbox.before-commit');
      return made;
    });
    crashPoint('inbox.decided');
    if (typeof decision === 'string') await letGo(work, delivery, decision);
    else work.log.debug({ delivery: delivery.guid, ...decision }, 'delivery decided');
  } catch (error) {
    return { error, gathered };
  }
}

/** While another process decides in the lane: a moment's wait. If something else comes first: none. */
async function letGo(work: Work, delivery: ClaimedDelivery, place: 'busy' | 'behind'): Promise<void> {
  const { guid, attempts, gathered } = delivery;
  const delayMs = place === 'busy' ? work.settings.pollMs : 0;
  await postponeDelivery(work.db, guid, { delayMs, attempts, gathered, reason: null });
}

async function fail(work: Work, delivery: ClaimedDelivery, { error, gathered }: Failure): Promise<void> {
  const attempts = delivery.attempts + 1;
  if (error instanceof FatalError || attempts >= work.settings.attempts)
    return await park(work, delivery, error);
  const delayMs = backoffMs(attempts);
  const failure = describeFailure(error);
  work.log.warn({ delivery: delivery.guid, attempts, delayMs, failure }, 'delivery failed, trying again');
  await postponeDelivery(work.db, delivery.guid, { delayMs, attempts, gathered, reason: summarise(error) });
}

async function park(work: Work, delivery: ClaimedDelivery, error: unknown): Promise<void> {
  const { guid, lane, event, action } = delivery;
  const parked = await work.db.transaction(async (trx) => {
    if ((await lockHead(trx, delivery)) !== 'head') return false;
    await finishDeliveries(trx, [{ guid, state: 'parked', reason: summarise(error), gathered: null }]);
    return true;
  });
  if (!parked) return;
  const fields = { delivery: guid, lane, event, action, failure: describeFailure(error) };
  work.log.error(fields, 'delivery parked: it needs an operator, its lane goes on');
}
