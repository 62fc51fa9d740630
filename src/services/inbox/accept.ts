// Race ledger
// - The same GUID twice in one commit → "on conflict do nothing" keeps the first, the second is answered as a
//   duplicate (test).
// - The same GUID in two commits at once → the later waits for the earlier inside PostgreSQL, then finds a duplicate.
//   Rows are sorted by GUID, so two commits can't wait for each other in a circle (test).
// - The answer "unavailable" after 5 s and then a commit that succeeds → the delivery is stored and worked on; GitHub's
//   or our redelivery of it is a duplicate. The other way round, an answer "stored" without a commit, can't happen.
// - The process dies after a commit and before its announcement → workers find the rows when they look by themselves,
//   a second later at the latest.

import { crashPoint } from '../../crash-point.ts';
import type { DeliveryStore, NewDelivery } from '../../db/deliveries.ts';
import type { Logger } from '../../log.ts';
import { createAnnouncer } from './announce.ts';
import { packBody } from './packing.ts';

/** A webhook whose signature was good; `body` is the raw bytes. */
export interface SignedDelivery {
  guid: string;
  event: string;
  body: Buffer;
}

/** `stored`: committed now. `duplicate`: the GUID was there. `unavailable`: not known to be committed; send it again. */
export type Acceptance = 'stored' | 'duplicate' | 'unavailable';

/** Commits one delivery, together with whatever else waits; answers within 5 s and never throws. */
export type Accept = (delivery: SignedDelivery) => Promise<Acceptance>;

export interface AcceptOptions {
  store: DeliveryStore;
  log: Logger;
  /** Milliseconds until `unavailable`. Default 5,000: GitHub gives a webhook 10 s. */
  timeoutMs?: number;
}

/** Measured on two cores: more rows or more commits in flight gain nothing. */
const MAX_ROWS = 16;
const MAX_COMMITS = 2;
/** One commit carries at most this much, if it has more than one row. */
const MAX_COMMIT_BYTES = 4 * 1024 * 1024;
/** More than this waiting means the database does not keep up; refusing keeps the process alive. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

interface Waiting extends NewDelivery {
  answer: (acceptance: Acceptance) => void;
  answered: boolean;
}

/** Makes the one function through which deliveries enter: compression, group commit, time limit. */
export function createAccept(options: AcceptOptions): Accept {
  const { store, log, timeoutMs = 5_000 } = options;
  let queue: Waiting[] = [];
  let waitingBytes = 0;
  let commits = 0;
  let planned = false;
  const announce = createAnnouncer(store, log);
  function plan(): void {
    if (planned || commits >= MAX_COMMITS || queue.length === 0) return;
    planned = true;
    // After this turn of the event loop: what arrived together is committed together, and nobody waits for a timer.
    setImmediate(() => {
      planned = false;
      while (commits < MAX_COMMITS && queue.length > 0) {
        const batch = takeBatch(queue);
        queue = batch.rest;
        void commit(batch.rows);
      }
    });
  }

  async function commit(batch: Waiting[]): Promise<void> {
    if (batch.length === 0) return;
    commits += 1;
    try {
      crashPoint('ingress.before-commit');
      const stored = await store.insert(batch);
      crashPoint('ingress.committed');
      answerAll(batch, stored);
      announce();
    } catch (error) {
      // The driver's text may quote values: only its code is logged.
      log.error({ code: codeOf(error), deliveries: batch.length }, 'deliveries not stored');
      for (const waiting of batch) waiting.answer('unavailable');
    } finally {
      commits -= 1;
      plan();
    }
  }

  return async ({ guid, event, body }) => {
    const bytes = await packBody(body);
    if (waitingBytes + bytes.length > MAX_WAITING_BYTES && waitingBytes > 0) return 'unavailable';
    waitingBytes += bytes.length;
    return await new Promise<Acceptance>((resolve) => {
      const timer = setTimeout(() => waiting.answer('unavailable'), timeoutMs);
      const waiting: Waiting = {
        guid,
        event,
        bytes,
        answered: false,
        answer(acceptance) {
          if (waiting.answered) return;
          waiting.answered = true;
          waitingBytes -= bytes.length;
          clearTimeout(timer);
          resolve(acceptance);
        },
      };
      queue.push(waiting);
      plan();
    });
  };
}

const codeOf = (error: unknown) => (error as { code?: unknown }).code;

function answerAll(batch: readonly Waiting[], stored: 'all' | ReadonlySet<string>): void {
  const fresh = stored === 'all' ? null : new Set(stored);
  for (const waiting of batch) {
    waiting.answer(!fresh || fresh.delete(waiting.guid) ? 'stored' : 'duplicate');
  }
}

/** The oldest that fit into one commit, without those that were told "unavailable" while they waited. */
function takeBatch(queue: readonly Waiting[]): { rows: Waiting[]; rest: Waiting[] } {
  const live = queue.filter((waiting) => !waiting.answered);
  let size = 0;
  const tooMany = live.findIndex((waiting, i) => {
    size += waiting.bytes.length;
    return i === MAX_ROWS || (i > 0 && size > MAX_COMMIT_BYTES);
  });
  const rows = tooMany === -1 ? live : live.slice(0, tooMany);
  return { rest: live.slice(rows.length), rows: [...rows].sort((a, b) => (a.guid < b.guid ? -1 : 1)) };
}
