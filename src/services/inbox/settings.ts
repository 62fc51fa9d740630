/** Limits of the inbox; times in milliseconds. */
export interface InboxSettings {
  /** How long a claim holds: a killed worker's delivery waits this long for another one. */
  leaseMs: number;
  /** One gathering as a whole; a longer one counts as unclear. */
  gatherMs: number;
  /** From the first unclear answer until `couldNotVerify`. */
  unclearMs: number;
  /** Failures until a delivery is parked. */
  attempts: number;
  /** How often rows are looked at without being told to. */
  pollMs: number;
  /** How long `stop` waits for work in hand. */
  drainMs: number;
}

export const inboxDefaults: InboxSettings = {
  leaseMs: 15_000,
  gatherMs: 15_000,
  unclearMs: 15 * 60_000,
  attempts: 8,
  pollMs: 1_000,
  drainMs: 20_000,
};

/** Wait before try number `tries` + 1: 1 s, doubling, at most 60 s. */
export function backoffMs(tries: number): number {
  return Math.min(60_000, 1_000 * 2 ** Math.max(0, tries - 1));
}
