import type { z } from 'zod';
import type { Deps, Unit } from '../services/deps.ts';

/** What came of a delivery; the reason is stored with it. */
export interface Verdict {
  readonly outcome: 'handled' | 'ignored';
  readonly reason: string;
}

/** Answers of GitHub that a decision needs, asked outside any transaction. JSON, since it is stored. */
export type Gathered = Readonly<Record<string, unknown>>;

/** One GitHub event and action: parse → gather → decide. */
export interface Handler<P = unknown> {
  readonly payload: z.ZodType<P>;
  /** Read-only questions. @throws RetryableError when an answer is unclear. */
  gather?(deps: Deps, payload: P): Promise<Gathered>;
  /** Our own database only, in the delivery's transaction. */
  decide(
    deps: Deps,
    unit: Unit,
    event: { readonly payload: P; readonly gathered: Gathered },
  ): Promise<Verdict>;
}

export function handled(reason: string): Verdict {
  return { outcome: 'handled', reason };
}

export function ignored(reason: string): Verdict {
  return { outcome: 'ignored', reason };
}

/** Keeps a handler's payload type private to its file. */
export function defineHandler<P>(handler: Handler<P>): Handler {
  return handler;
}
