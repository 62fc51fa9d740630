import { z } from 'zod';
import type { Usage } from './usage.ts';

const amount = z.number().nonnegative().max(100_000);

/** US dollars per million tokens. */
const priceSchema = z.strictObject({
  input: amount,
  output: amount,
  /** Default: a tenth of `input`. */
  cacheRead: amount.optional(),
  /** Kept for five minutes. Default: 1.25 times `input`. */
  cacheWrite: amount.optional(),
  /** Kept for an hour. Default: twice `input`. */
  longCacheWrite: amount.optional(),
});
export type Price = z.infer<typeof priceSchema>;

/** By the model's name without the date of its version. */
const priceTableSchema = z.record(z.string().min(1).max(200), priceSchema);
export type PriceTable = Readonly<z.infer<typeof priceTableSchema>>;

export type PricesReading =
  | { readonly ok: true; readonly prices: PriceTable }
  | { readonly ok: false; readonly problem: string };

/** Reads the text of a price table. Never throws. */
export function parsePrices(text: string): PricesReading {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, problem: 'the file is no JSON' };
  }
  const read = priceTableSchema.safeParse(value);
  if (read.success) return { ok: true, prices: read.data };
  const [issue] = read.error.issues;
  return { ok: false, problem: `${issue?.path.join('.') || 'the table'}: ${issue?.message}` };
}

/**
 * List prices of the providers, October 2026.
 * https://platform.claude.com/docs/en/about-claude/pricing, https://openai.com/api/pricing
 */
export const listPrices: PriceTable = {
  'claude-opus-5-5': { input: 4, output: 20, cacheRead: 0.2 },
  'claude-opus-5': { input: 5, output: 25 },
  'claude-opus-4-8': { input: 5, output: 25 },
  'claude-opus-4-7': { input: 5, output: 25 },
  'claude-opus-4-6': { input: 5, output: 25 },
  'claude-opus-4-5': { input: 5, output: 25 },
  'claude-opus-4-1': { input: 15, output: 75 },
  'claude-opus-4': { input: 15, output: 75 },
  'claude-sonnet-5-5': { input: 2, output: 10, cacheRead: 0.1 },
  'claude-sonnet-5': { input: 2, output: 10 },
  'claude-sonnet-4-6': { input: 3, output: 15 },
  'claude-sonnet-4-5': { input: 3, output: 15 },
  'claude-sonnet-4': { input: 3, output: 15 },
  // The dearer of its two bands: the price of a call must not depend on what is known only after it.
  'claude-haiku-5-5': { input: 0.5, output: 2.5 },
  'claude-haiku-4-5': { input: 1, output: 5 },
  'gpt-5': { input: 1.25, output: 10 },
  'gpt-5-codex': { input: 1.25, output: 10 },
  'gpt-5-mini': { input: 0.25, output: 2 },
  'gpt-5-nano': { input: 0.05, output: 0.4 },
  'gpt-4.1': { input: 2, output: 8, cacheRead: 0.5 },
};

export interface Priced {
  readonly price: Price;
  /** False where the table lacks the model, and the dearest price stands in for it. */
  readonly listed: boolean;
}

/** The price of a model, by its name at any of the providers; of an unknown one, the dearest in each column. */
export function priceOf(table: PriceTable, model: string): Priced {
  const price = Object.hasOwn(table, model) ? table[model] : ownPrice(table, plainName(model));
  return price ? { price, listed: true } : { price: dearest(table), listed: false };
}

function ownPrice(table: PriceTable, name: string): Price | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/** "us.anthropic.claude-opus-4-5-20251101-v1:0" and "claude-opus-4-5@20251101" are "claude-opus-4-5". */
function plainName(model: string): string {
  return model
    .replace(/^(?:[a-z-]{2,9}\.)?anthropic\./, '')
    .replace(/^(?:anthropic|openai)\//, '')
    .replace(/(?:-v\d+(?::\d+)?)$/, '')
    .replace(/[-@](?:20\d{6}|20\d\d-\d\d-\d\d|latest)$/, '');
}

function dearest(table: PriceTable): Price {
  const prices = Object.values(table);
  const most = (column: (price: Required<Price>) => number) =>
    Math.max(0, ...prices.map((price) => column(whole(price))));
  return {
    input: most(({ input }) => input),
    output: most(({ output }) => output),
    cacheRead: most(({ cacheRead }) => cacheRead),
    cacheWrite: most(({ cacheWrite }) => cacheWrite),
    longCacheWrite: most(({ longCacheWrite }) => longCacheWrite),
  };
}

function whole(price: Price): Required<Price> {
  const { input } = price;
  return { cacheRead: input * 0.1, cacheWrite: input * 1.25, longCacheWrite: input * 2, ...price };
}

/** What a call costs, in millionths of a dollar, rounded up. */
export function costOf(price: Price, usage: Usage): number {
  const each = whole(price);
  return Math.ceil(
    usage.inputTokens * each.input +
      usage.cacheReadTokens * each.cacheRead +
      usage.cacheWriteTokens * each.cacheWrite +
      usage.longCacheWriteTokens * each.longCacheWrite +
      usage.outputTokens * each.output,
  );
}

/** A token of input is two bytes of a request or more: fewer would be a text that no model was made for. */
const BYTES_PER_TOKEN = 2;

/**
 * The most that a call can cost, in millionths of a dollar: all of its input written to a cache, and as much output as
 * it allows. What is reserved by it is never overspent.
 */
export function mostOf(
  price: Price,
  call: { readonly inputBytes: number; readonly maxOutputTokens: number },
): number {
  const each = whole(price);
  const tokens = Math.ceil(call.inputBytes / BYTES_PER_TOKEN);
  const perInput = Math.max(each.input, each.cacheWrite, each.longCacheWrite);
  return Math.ceil(tokens * perInput + call.maxOutputTokens * each.output);
}
