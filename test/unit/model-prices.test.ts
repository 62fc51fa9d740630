import { describe, expect, test } from '@jest/globals';
import { costOf, listPrices, mostOf, parsePrices, priceOf } from '../../src/services/models/prices.ts';
import { noUsage } from '../../src/services/models/usage.ts';

describe('a price', () => {
  test.each([
    'claude-opus-4-5',
    'claude-opus-4-5-20251101',
    'claude-opus-4-5-latest',
    'claude-opus-4-5@20251101',
    'anthropic.claude-opus-4-5-20251101-v1:0',
    'us.anthropic.claude-opus-4-5-20251101-v1:0',
    'anthropic/claude-opus-4-5',
  ])('is found for %s', (name) => {
    expect(priceOf(listPrices, name)).toEqual({ price: { input: 5, output: 25 }, listed: true });
  });

  test('of a model that is not listed is the dearest, even where its name begins like a listed one', () => {
    for (const name of ['claude-opus-4-9', 'gpt-5-codex-max', 'constructor', '__proto__', '']) {
      const { price, listed } = priceOf(listPrices, name);
      expect([name, listed]).toEqual([name, false]);
      expect(price).toMatchObject({ input: 15, output: 75 });
    }
  });

  test('counts what was read from and written to a cache at its own rates, rounded up', () => {
    const usage = { ...noUsage, inputTokens: 1000, cacheReadTokens: 1000, cacheWriteTokens: 1000 };
    expect(
      costOf({ input: 3, output: 15 }, { ...usage, longCacheWriteTokens: 1000, outputTokens: 1000 }),
    ).toBe(3000 + 300 + 3750 + 6000 + 15_000);
    expect(costOf({ input: 0.05, output: 0.4 }, { ...noUsage, inputTokens: 1 })).toBe(1);
  });

  test('of a call to come is never below what the call costs', () => {
    const price = { input: 3, output: 15 };
    const most = mostOf(price, { inputBytes: 8000, maxOutputTokens: 500 });
    const dear = { ...noUsage, longCacheWriteTokens: 4000, outputTokens: 500 };
    expect(most).toBeGreaterThanOrEqual(costOf(price, dear));
  });
});

describe('a price table', () => {
  test('is read, and what is wrong with it is said', () => {
    expect(parsePrices('{"my-model": {"input": 1, "output": 2}}')).toEqual({
      ok: true,
      prices: { 'my-model': { input: 1, output: 2 } },
    });
    expect(parsePrices('{')).toEqual({ ok: false, problem: 'the file is no JSON' });
    expect(parsePrices('{"my-model": {"input": -1, "output": 2}}')).toMatchObject({
      ok: false,
      problem: expect.stringContaining('my-model.input'),
    });
  });
});
