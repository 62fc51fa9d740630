import type { Trx } from '../../db/types.ts';

/** One webhook, read. */
export interface InboxEvent {
  /** GitHub's delivery GUID; a redelivery has the same. */
  guid: string;
  /** Name of the event: `issues`, `pull_request`, … */
  name: string;
  action: string | null;
  installationId: number | null;
  payload: Record<string, unknown>;
}

/** Answers to the questions about one event; JSON, stored on its delivery. */
export type Gathered = Record<string, unknown>;

/** How a delivery ended; the reason is stored for operators. */
export interface Decision {
  outcome: 'handled' | 'ignored';
  reason: string;
}

/** What the inbox calls; the handlers stand behind it. */
export interface Dispatcher {
  /** False ends the delivery as ignored, with no question asked. */
  handles(name: string, action: string | null): boolean;
  /** Whether `gather` would ask anything of such an event; without this it always may. */
  asks?(name: string, action: string | null): boolean;
  /** Asks, outside any transaction, and changes nothing: it may run twice. Throws RetryableError if unclear. */
  gather(event: InboxEvent): Promise<Gathered>;
  /**
   * Writes what follows, in the transaction that also marks the delivery: it takes effect once. Throws StaleError to
   * be asked again at once with new answers, FatalError to have the delivery parked.
   */
  decide(trx: Trx, event: InboxEvent, gathered: Gathered): Promise<Decision>;
  /** Stands in for `decide` when the answers stayed unclear for too long. */
  couldNotVerify(trx: Trx, event: InboxEvent): Promise<Decision>;
}
