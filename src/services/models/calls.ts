/*
 * What the gateway asks about calls to models: whose credential, whether the budgets have room, what it came to.
 *
 * Race ledger
 * - Calls that are under way have reserved the rest of a budget → the call waits until they are settled; only what was
 *   really spent refuses it.
 * - The process dies with a call → its sandbox is gone soon, and `settleLeftCalls` counts the call.
 */
import { randomUUID } from 'node:crypto';
import type { ModelApi } from '../../agent/driver.ts';
import type { PayerRow } from '../../db/gateway-store.ts';
import {
  type CallCost,
  listLeftCalls,
  type NewCall,
  noteRefusedCall,
  settleCall,
} from '../../db/model-calls.ts';

import { FatalError, messageOf } from '../../errors.ts';
import type { Deps } from '../deps.ts';
import { type Budget, defaultSettings } from '../settings/schema.ts';
import { chargesOf, usedUp } from './charges.ts';
import { estimated } from './estimate.ts';
import { costOf, mostOf, type Price, priceOf } from './prices.ts';
import { createTargets, type Target } from './targets.ts';
import type { Usage } from './usage.ts';

interface Caller {
  readonly sandboxId: string;
  readonly specId: string;
}

interface Asked {
  readonly api: ModelApi;
  readonly model: string;
  readonly inputBytes: number;
  readonly maxOutputTokens: number | null;
  readonly signal: AbortSignal;
}

type Opened =
  | { readonly kind: 'open'; readonly id: string; readonly target: Target }
  | { readonly kind: 'refused'; readonly why: 'budget' | 'credential'; readonly text: string };

interface End {
  readonly status: number | null;
  readonly usage: Usage;
  readonly reported: boolean;
  readonly replyBytes: number;
  readonly trouble: 'quota' | 'overload' | 'credential' | null;
  readonly retryAfter: number | null;
}

/** What a call without a bound may give out: more than any model does today. */
const MOST_OUTPUT_TOKENS = 128_000;
/** A request may say anything; what it says must not make a sum that no database holds. */
const MOST_EVER_TOKENS = 10_000_000;
/** Between two looks at a budget that others have reserved, milliseconds. */
const LOOK_AGAIN_MS = 50;

type Deps_ = Pick<Deps, 'db' | 'gateway' | 'credentials' | 'models' | 'clock' | 'log'>;

/** The part of the gateway's backend that is about models. */
export function createModelCalls(deps: Deps_) {
  /** Of calls that are under way in this process. */
  const under = new Map<string, { price: Price; inputBytes: number }>();
  const unlisted = new Set<string>();
  const targetOf = createTargets();
  const resolve = (payer: PayerRow, api: ModelApi) => findTarget(deps, targetOf, { payer, api });
  return {
    async targetFor(caller: Caller, api: ModelApi): Promise<Opened> {
      const found = await resolve(await payerOf(deps, caller), api);
      return found.kind === 'refused' ? found : { ...found, id: randomUUID() };
    },

    async open(caller: Caller, asked: Asked): Promise<Opened> {
      const payer = await payerOf(deps, caller);
      const { price, listed } = priceOf(deps.models.prices, asked.model);
      if (!listed) alertOnce(deps, unlisted, asked.model);
      const call = newCall(deps, { caller, payer, asked, price, listed });
      const [found, refused] = await Promise.allSettled([
        resolve(payer, asked.api),
        reserve(deps, call, asked.signal),
      ]);
      if (refused.status === 'rejected') throw refused.reason;
      if (refused.value) return refused.value;
      if (found.status === 'rejected') {
        await settleCall(deps.db, call.id, nothing);
        throw found.reason;
      }
      if (found.value.kind === 'refused') {
        const refusal = { by: 'us', why: 'credential', told: found.value.text } as const;
        await settleCall(deps.db, call.id, { ...nothing, state: 'refused', refusal });
        return found.value;
      }
      under.set(call.id, { price, inputBytes: asked.inputBytes });
      return { ...found.value, id: call.id };
    },

    async settle(id: string, end: End): Promise<void> {
      const known = under.get(id);
      under.delete(id);
      if (!known) throw new FatalError('a call to a model is settled that was not opened');
      try {
        await settleCall(deps.db, id, costs(known.price, known.inputBytes, end));
      } catch (error) {
        // Its row stays open, and is counted when its sandbox is gone.
        deps.log.error({ call: id, error: messageOf(error) }, 'cost of a call could not be recorded');
      }
    },
  };
}

async function payerOf({ gateway }: Deps_, { specId }: Caller): Promise<PayerRow> {
  const payer = await gateway.payerOf(specId);
  if (!payer) throw new FatalError('a sandbox without a spec calls a model');
  return payer;
}

async function findTarget(
  { credentials }: Deps_,
  targetOf: ReturnType<typeof createTargets>,
  { payer, api }: { payer: PayerRow; api: ModelApi },
): Promise<{ kind: 'open'; target: Target } | Extract<Opened, { kind: 'refused' }>> {
  const { requester_id: requesterId, installation_id: installationId } = payer;
  const answer = await credentials.resolve({ requesterId, installationId, api });
  if (answer.kind === 'missing') return { kind: 'refused', why: 'credential', text: answer.text };
  return { kind: 'open', target: targetOf(answer.credential) };
}

function newCall(
  { models }: Deps_,
  of: { caller: Caller; payer: PayerRow; asked: Asked; price: Price; listed: boolean },
): NewCall {
  const { caller, payer, asked, price } = of;
  const maxOutputTokens = Math.min(asked.maxOutputTokens ?? MOST_OUTPUT_TOKENS, MOST_EVER_TOKENS);
  const budget = { ...defaultSettings.budget, ...(payer.budget as Partial<Budget> | null) };
  return {
    id: randomUUID(),
    specId: caller.specId,
    sandboxId: caller.sandboxId,
    runId: payer.run_id,
    api: asked.api,
    model: asked.model,
    priced: of.listed ? 'listed' : 'dearest',
    reserve: mostOf(price, { inputBytes: asked.inputBytes, maxOutputTokens }),
    charges: chargesOf(payer, budget, models.installationDayUsd),
  };
}

/** Null when the call is reserved. @throws when the caller has gone while it waited */
async function reserve(deps: Deps_, call: NewCall, signal: AbortSignal) {
  for (;;) {
    const answer = await deps.gateway.reserve(call);
    if (answer.kind === 'reserved') return null;
    if (answer.kind === 'full') {
      const { charge, spent } = answer;
      const text = usedUp(charge, spent);
      await noteRefusedCall(deps.db, call, { by: 'us', why: 'budget', scope: charge.scope, told: text });
      return { kind: 'refused', why: 'budget', text } as const;
    }
    signal.throwIfAborted();
    await deps.clock.sleep(LOOK_AGAIN_MS, signal);
  }
}

function alertOnce({ log }: Deps_, known: Set<string>, model: string): void {
  if (known.has(model)) return;
  known.add(model);
  log.error(
    { model },
    'no price is known for this model: its calls count at the dearest one of MODEL_PRICES',
  );
}

function costs(price: Price, inputBytes: number, end: End): CallCost {
  const usage = end.reported ? end.usage : estimated(end, inputBytes);
  return {
    state: 'settled',
    cost: costOf(price, usage),
    inputTokens: usage.inputTokens,
    cacheReadTokens: usage.cacheReadTokens,
    cacheWriteTokens: usage.cacheWriteTokens + usage.longCacheWriteTokens,
    outputTokens: usage.outputTokens,
    measured: end.reported ? 'reported' : 'estimated',
    status: end.status,
    refusal: end.trouble === null ? null : { by: 'provider', why: end.trouble },
    retryAfterSeconds: end.retryAfter,
  };
}

/** What a call came to that was never sent. */
const nothing: CallCost = {
  state: 'settled',
  cost: 0,
  inputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  outputTokens: 0,
  measured: 'reported',
  status: null,
  refusal: null,
  retryAfterSeconds: null,
};

/** Most calls use a small part of what they allow; one that nobody can ask about any more counts as this part. */
const LOST_PART = 0.1;
const LEFT_AT_ONCE = 100;

/** Counts calls that were under way when their process died. */
export async function settleLeftCalls({ db }: Pick<Deps, 'db'>): Promise<void> {
  for (const { id, reserved } of await listLeftCalls(db, LEFT_AT_ONCE)) {
    const cost = Math.ceil(Number(reserved) * LOST_PART);
    await settleCall(db, id, { ...nothing, state: 'lost', cost, measured: 'estimated' });
  }
}
