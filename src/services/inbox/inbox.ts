// Race ledger
// - Two processes route at once → one holds the router's lock, the other goes on; what is committed meanwhile is told to
//   all, so somebody routes it, at the latest at the next poll.
// - Two processes claim at once → rows locked by one are skipped by the other (test: two inboxes, each delivery once).
// - A notification comes while the loop is busy → a flag keeps it, the loop goes round again.
// - Claims wait here behind those in hand and run out → somebody else takes them; who decides second drops it (as below).
// - The listening connection breaks → polling goes on; its new connection wakes the loop (test).
// - stop() while a delivery is worked on → it is waited for; after the limit its claim is given back, and should its work
//   go on nevertheless, the lane's lock and head still let only one decide.

import type { Clock } from '../../clock.ts';
import {
  claimHeads,
  DELIVERIES_CHANNEL,
  hasDueDeliveries,
  releaseDeliveries,
  routeDeliveries,
  type UnroutedDelivery,
} from '../../db/deliveries.ts';
import { listen } from '../../db/listen.ts';
import type { Db } from '../../db/types.ts';
import type { Logger } from '../../log.ts';
import { createBell, type Ring } from './bell.ts';
import type { Dispatcher } from './dispatch.ts';
import { describeFailure } from './failure.ts';
import { createHands } from './hands.ts';
import { createPace } from './pace.ts';
import { routeOf } from './route.ts';
import { type InboxSettings, inboxDefaults } from './settings.ts';
import type { Work } from './work.ts';

export interface InboxOptions {
  db: Db;
  /** For the connection that listens; the same database. */
  url: string;
  dispatcher: Dispatcher;
  log: Logger;
  clock: Clock;
  /** Deliveries in hand at once, each of another lane. Default 16; only deciding takes a connection of the pool. */
  concurrency?: number;
  settings?: Partial<InboxSettings>;
}

export interface Inbox {
  /** Takes nothing new, waits for what is in hand (at most `drainMs`) and gives the rest back. */
  stop(): Promise<void>;
  /** Resolves when nothing is left but deliveries that wait for their next try and those behind them. */
  idle(): Promise<void>;
}

const ROUTE_BATCH = 100;

/** Starts working on stored deliveries: in order within a lane, lanes in parallel, each taking effect once. */
export function startInbox(options: InboxOptions): Inbox {
  const { db, clock, log, concurrency = 16 } = options;
  const settings: InboxSettings = { ...inboxDefaults, ...options.settings };
  const work: Work = { ...options, settings };
  let stopping = false;
  const pace = createPace(concurrency);
  const bell = createBell(clock);
  const hands = createHands({ work, concurrency, pace, onFree: () => bell.ring('released') });
  const { inHand, waiting } = hands;

  /** Answers whether there is more to route than one batch. */
  async function round(arrivals: boolean): Promise<boolean> {
    const route = (delivery: UnroutedDelivery) => routeOf(delivery, options.dispatcher.handles);
    const more = arrivals && (await routeDeliveries(db, ROUTE_BATCH, route));
    if (waiting.size >= concurrency) return more;
    const free = concurrency + pace.ahead() - hands.busy() - waiting.size;
    const claimed = free > 0 ? await claimHeads(db, free, settings.leaseMs) : [];
    // A claim that outlived its lease here is still in hand; taking it twice would only lose against itself.
    for (const delivery of claimed) if (!inHand.has(delivery.guid)) waiting.set(delivery.guid, delivery);
    hands.takeNext();
    return more;
  }

  async function run(): Promise<void> {
    let arrivals = true;
    let looked = 0;
    while (!stopping) {
      if (arrivals) looked = performance.now();
      const more: boolean = await round(arrivals).catch((error: unknown) => {
        log.warn({ failure: describeFailure(error) }, 'inbox can not reach its database, trying again');
        return false;
      });
      // What was released by work that ended needs no look at arrivals; notifications do, and time does.
      const heard: Ring | 'silence' = more ? 'arrived' : await bell.wait(settings.pollMs);
      arrivals = heard !== 'released' || performance.now() - looked > settings.pollMs;
    }
  }

  const stopListening = listen({
    url: options.url,
    channel: DELIVERIES_CHANNEL,
    clock,
    onNotification: () => bell.ring('arrived'),
    onLoss: (code) => log.warn({ code }, 'inbox hears no notifications, polling'),
  });
  const running = run();
  return {
    async stop() {
      stopping = true;
      hands.stop();
      bell.ring('released');
      await running;
      await stopListening();
      // The others may have at once what was only claimed.
      await giveBack(work, waiting.keys());
      await drain(inHand, work);
    },
    async idle() {
      while (inHand.size + waiting.size > 0 || (await hasDueDeliveries(db))) {
        bell.ring('arrived');
        await clock.sleep(10);
      }
    },
  };
}

/** Waits for what is in hand and gives back the claims of what does not end in time. */
async function drain(inHand: ReadonlyMap<string, Promise<void>>, work: Work): Promise<void> {
  const done = new AbortController();
  const all = Promise.all(inHand.values()).then(() => done.abort());
  await Promise.race([all, work.clock.sleep(work.settings.drainMs, done.signal)]);
  await giveBack(work, inHand.keys());
}

/** Without it, claims run out by themselves. */
async function giveBack({ db, log }: Work, guids: Iterable<string>): Promise<void> {
  try {
    await releaseDeliveries(db, [...guids]);
  } catch (error) {
    log.warn({ failure: describeFailure(error) }, 'claims not given back');
  }
}
