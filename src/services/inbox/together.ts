// Race ledger
// - Another process decides in a lane of the group → the lane's lock is tried, not waited for; that delivery is left to
//   be worked on alone, the others go on.
// - Two groups lock the same specs in another order → PostgreSQL ends one of them after a second; its deliveries are
//   worked on alone.
// - One decision fails → nothing of the group is written, each is worked on alone, so only the one that fails is put
//   off (test).

import { crashPoint } from '../../crash-point.ts';
import { type ClaimedDelivery, type DeliveryEnd, finishDeliveries, lockHeads } from '../../db/deliveries.ts';
import type { InboxEvent } from './dispatch.ts';
import { describeFailure } from './failure.ts';
import { eventOf, mayAsk, type Work } from './work.ts';

/** What a backlog is taken in: more in one transaction gains little and keeps locks longer. */
export const MAX_TOGETHER = 16;

/** Whether a delivery may be decided with others: nothing has to be asked for it, and it never failed. */
export function canJoin(work: Work, delivery: ClaimedDelivery): boolean {
  return delivery.attempts === 0 && delivery.gathered === null && !mayAsk(work, delivery);
}

/**
 * Decides deliveries of several lanes in one transaction, which costs a fraction of one each. Answers those that are
 * left to be worked on alone: nothing of them was written.
 */
export async function decideTogether(
  work: Work,
  deliveries: readonly ClaimedDelivery[],
): Promise<readonly ClaimedDelivery[]> {
  const events = new Map<string, InboxEvent>();
  for (const delivery of deliveries) {
    const event = eventOf(delivery);
    if (event) events.set(delivery.guid, event);
  }
  try {
    const ended = await decideAll(work, deliveries, events);
    return deliveries.filter(({ guid }) => !ended.has(guid));
  } catch (error) {
    work.log.info(
      { deliveries: deliveries.length, failure: describeFailure(error) },
      'deliveries not decided together, each goes alone',
    );
    return deliveries;
  }
}

async function decideAll(
  work: Work,
  deliveries: readonly ClaimedDelivery[],
  events: ReadonlyMap<string, InboxEvent>,
): Promise<ReadonlySet<string>> {
  const ends = await work.db.transaction(async (trx) => {
    const heads = await lockHeads(trx, deliveries);
    const made: DeliveryEnd[] = [];
    for (const [guid, event] of events) {
      if (!heads.has(guid)) continue;
      const { outcome: state, reason } = await work.dispatcher.decide(trx, event, {});
      made.push({ guid, state, reason, gathered: { answers: {} } });
    }
    if (made.length > 0) await finishDeliveries(trx, made);
    crashPoint('inbox.before-commit');
    return made;
  });
  crashPoint('inbox.decided');
  for (const { guid, state, reason } of ends) {
    work.log.debug({ delivery: guid, outcome: state, reason }, 'delivery decided');
  }
  return new Set(ends.map(({ guid }) => guid));
}
