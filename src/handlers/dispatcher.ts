import type { Trx } from '../db/types.ts';
import { FatalError } from '../errors.ts';
import type { Deps } from '../services/deps.ts';
import { unverified } from './could-not-verify.ts';
import { decideWith, gatherFor } from './gather.ts';
import { type Gathered, type Handler, ignored, type Verdict } from './handler.ts';
import { handlerOf } from './index.ts';

/** A delivery as the inbox hands it out. */
export interface Delivery {
  readonly guid: string;
  readonly name: string;
  readonly action: string | null;
  readonly payload: Record<string, unknown>;
}

/** How an event gets to its handler: through Probot, so that `src/index.ts` stays an ordinary Probot app. */
export type Receive = (event: { id: string; name: string; payload: unknown }) => Promise<void>;

/** What Probot calls for an event; the handler's transaction is found by the delivery's id. */
export type Call = (handler: Handler, event: { id: string; payload: unknown }) => Promise<void>;

interface Open {
  readonly trx: Trx;
  readonly gathered: Gathered;
  verdict: Verdict | null;
}

/**
 * Connects the inbox with the handlers. `connect` is given the function that the Probot app calls and answers the
 * one that sends an event into Probot.
 */
export function createDispatcher(deps: Deps, connect: (call: Call) => Receive) {
  const open = new Map<string, Open>();
  const receive = connect(async (handler, event) => {
    const unit = open.get(event.id);
    if (!unit) throw new FatalError('an event came past the inbox');
    unit.verdict = await run(deps, handler, { event, unit });
  });
  return {
    handles: (name: string, action: string | null) => handlerOf(name, action) !== null,
    asks: (name: string, action: string | null) => handlerOf(name, action)?.gather !== undefined,
    gather: (delivery: Delivery) => gather(deps, delivery),
    async decide(trx: Trx, delivery: Delivery, gathered: Gathered): Promise<Verdict> {
      const reason = unfit(delivery);
      if (reason) return ignored(reason);
      const unit: Open = { trx, gathered, verdict: null };
      open.set(delivery.guid, unit);
      try {
        await receive({ id: delivery.guid, name: delivery.name, payload: delivery.payload }).catch(unwrap);
      } finally {
        open.delete(delivery.guid);
      }
      return unit.verdict ?? ignored('no handler took the event');
    },
    couldNotVerify: (trx: Trx, delivery: Delivery): Promise<Verdict> =>
      unverified(deps, { trx, delivery: delivery.guid }, delivery),
  };
}

/** Why no handler can read a delivery: Probot itself stumbles over some that have not what every event has. */
function unfit({ name, action, payload }: Delivery): string | null {
  const parsed = handlerOf(name, action)?.payload.safeParse(payload);
  if (!parsed || parsed.success) return null;
  const missing = [...new Set(parsed.error.issues.map((issue) => issue.path.join('.')))];
  return `the payload lacks ${missing.slice(0, 5).join(', ')}`;
}

async function gather(deps: Deps, delivery: Delivery): Promise<Record<string, unknown>> {
  const handler = handlerOf(delivery.name, delivery.action);
  if (!handler?.gather) return {};
  const parsed = handler.payload.safeParse(delivery.payload);
  return parsed.success ? gatherFor(deps, handler, parsed.data) : {};
}

async function run(
  deps: Deps,
  handler: Handler,
  at: { event: { id: string; payload: unknown }; unit: Open },
): Promise<Verdict> {
  const payload = handler.payload.parse(at.event.payload);
  const unit = { trx: at.unit.trx, delivery: at.event.id };
  return decideWith(deps, handler, { unit, payload, gathered: at.unit.gathered });
}

/** Probot collects what handlers throw; the inbox decides by the kind of the first. */
function unwrap(error: unknown): never {
  throw error instanceof AggregateError && error.errors.length > 0 ? error.errors[0] : error;
}
