// Race ledger: that of inbox.ts; everything here happens between two turns of one process's event loop.

import { crashPoint } from '../../crash-point.ts';
import type { ClaimedDelivery } from '../../db/deliveries.ts';
import { describeFailure } from './failure.ts';
import type { Pace } from './pace.ts';
import { canJoin, decideTogether, MAX_TOGETHER } from './together.ts';
import { type Work, workOn } from './work.ts';

export interface Hands {
  readonly inHand: Map<string, Promise<void>>;
  /** Claimed, and taken in hand as soon as something else ends. */
  readonly waiting: Map<string, ClaimedDelivery>;
  /** Hands in use; what is worked on together is in one. */
  busy(): number;
  takeNext(): void;
  /** Nothing more is taken. */
  stop(): void;
}

/** The hands of one process: at most `concurrency` things at once; `onFree` is told when there is room for a claim. */
export function createHands(options: {
  work: Work;
  concurrency: number;
  pace: Pace;
  onFree: () => void;
}): Hands {
  const { work, concurrency, pace, onFree } = options;
  const inHand = new Map<string, Promise<void>>();
  const waiting = new Map<string, ClaimedDelivery>();
  let stopping = false;
  let hands = 0;

  function takeNext(): void {
    while (!stopping && hands < concurrency && waiting.size > 0) take(nextOf(waiting, work));
  }

  function take(deliveries: readonly ClaimedDelivery[]): void {
    crashPoint('inbox.claimed');
    hands += 1;
    const started = performance.now();
    const done = workSafely(work, deliveries).then(() => {
      hands -= 1;
      pace.note((performance.now() - started) / deliveries.length);
      for (const { guid } of deliveries) inHand.delete(guid);
      takeNext();
      if (waiting.size < concurrency) onFree();
    });
    for (const { guid } of deliveries) {
      waiting.delete(guid);
      inHand.set(guid, done);
    }
  }

  return {
    inHand,
    waiting,
    busy: () => hands,
    takeNext,
    stop() {
      stopping = true;
    },
  };
}

/** The oldest delivery that waits; if it can be decided with others, with as many of those as wait too. */
function nextOf(waiting: ReadonlyMap<string, ClaimedDelivery>, work: Work): ClaimedDelivery[] {
  const next: ClaimedDelivery[] = [];
  for (const delivery of waiting.values()) {
    const joins = canJoin(work, delivery);
    if (next.length === 0 || joins) next.push(delivery);
    if (!joins && next[0] === delivery) break;
    if (next.length === MAX_TOGETHER) break;
  }
  return next;
}

/** If the database fails, the claim runs out and the delivery is taken again. */
async function workSafely(work: Work, deliveries: readonly ClaimedDelivery[]): Promise<void> {
  const alone = deliveries.length > 1 ? await decideTogether(work, deliveries) : deliveries;
  for (const delivery of alone) {
    try {
      await workOn(work, delivery);
    } catch (error) {
      work.log.warn(
        { delivery: delivery.guid, failure: describeFailure(error) },
        'delivery given up for now',
      );
    }
  }
}
