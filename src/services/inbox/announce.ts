// Race ledger
// - A commit while an announcement is under way → another one follows, since the first may have been sent before it.
// - An announcement that fails → it is logged and not repeated: workers look by themselves every second.

import type { DeliveryStore } from '../../db/deliveries.ts';
import type { Logger } from '../../log.ts';

/**
 * Milliseconds between two announcements; the first is never delayed. An announcement is a commit of its own, so under
 * load, where the workers have enough to do without being told, they become rarer.
 */
const SHORTEST_PAUSE_MS = 8;
const LONGEST_PAUSE_MS = 64;

/** Makes the function that wakes the workers after a commit. It never throws and nobody waits for it. */
export function createAnnouncer(store: DeliveryStore, log: Logger): () => void {
  let busy = false;
  let again = false;
  let pauseMs = SHORTEST_PAUSE_MS;

  function announce(): void {
    again = busy;
    if (busy) return;
    busy = true;
    store
      .announce()
      .catch((error: unknown) =>
        log.warn({ code: (error as { code?: unknown }).code }, 'new deliveries not announced'),
      )
      .finally(() => setTimeout(rest, pauseMs));
  }

  function rest(): void {
    busy = false;
    pauseMs = again ? Math.min(2 * pauseMs, LONGEST_PAUSE_MS) : SHORTEST_PAUSE_MS;
    if (again) announce();
  }

  return announce;
}
