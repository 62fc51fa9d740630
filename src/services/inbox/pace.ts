/** How much may be claimed beyond what is in hand. */
export interface Pace {
  /** Tells how long one delivery was in hand, in milliseconds. */
  note(ms: number): void;
  /** Deliveries. */
  ahead(): number;
}

/** A claim costs a look at every lane, so one claim brings work for about this long, in milliseconds. */
const AHEAD_MS = 50;
const MAX_AHEAD = 240;
/** Weight of the newest delivery in the average. */
const WEIGHT = 0.1;

/**
 * Quick deliveries are claimed ahead; slow ones (they wait for GitHub) are left to other processes until there is a
 * hand for them.
 */
export function createPace(concurrency: number): Pace {
  let averageMs = Number.POSITIVE_INFINITY;
  return {
    note(ms) {
      averageMs = Number.isFinite(averageMs) ? averageMs + WEIGHT * (ms - averageMs) : ms;
    },
    ahead: () => Math.min(MAX_AHEAD, Math.floor((concurrency * AHEAD_MS) / Math.max(1, averageMs))),
  };
}
