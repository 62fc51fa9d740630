import type { Accept } from '../inbox/accept.ts';
import type { Dispatcher } from '../inbox/dispatch.ts';

/** The way into the inbox for what did not come by HTTP: the same acceptance, so the same lanes, dedupe and audit. */
export interface Intake {
  readonly accept: Accept;
  /** What nothing here handles is not asked for. */
  readonly handles: Dispatcher['handles'];
  /** The process stops: a pass ends after what it has in hand. */
  readonly signal?: AbortSignal;
}
