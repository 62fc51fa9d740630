import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { recordClaim } from '../harness/claims.ts';
import { type LlmRigOptions, openLlmRig } from '../harness/llm-rig.ts';
import { startMessagesApi } from '../harness/messages-api.ts';
import type { ModelStub } from '../harness/model-api.ts';
import { until } from '../harness/until.ts';

const CALL_USD = 0.3;
const BUDGET_USD = 1;
const RUNS = 20;
/** More calls than the budget has room for, from each of them. */
const CALLS_EACH = 5;

let provider: ModelStub;

beforeAll(async () => {
  // 20,000 tokens of output at $15 a million are 30 cents.
  const usage = { input: 0, output: 20_000 };
  provider = await startMessagesApi({
    play: () => ({ blocks: [{ type: 'text', text: 'Done.' }], usage, waitMs: 20 }),
  });
});
afterAll(() => provider.close());

const question = {
  model: 'claude-sonnet-4-5',
  max_tokens: 32_000,
  stream: true,
  messages: [{ role: 'user', content: 'Hello' }],
};

/** Lets many runs call at once until each is refused; answers what was spent in dollars and how they were refused. */
async function spendAll(options: Omit<LlmRigOptions, 'provider'>) {
  const rig = await openLlmRig({ ...options, provider: provider.url });
  const before = provider.calls.length;
  const refusals: { status: number; text: string }[] = [];
  const run = async (spec: number): Promise<void> => {
    for (let call = 0; call < CALLS_EACH; call += 1) {
      const reply = await rig.ask(question, { spec });
      const text = await reply.text();
      if (reply.status !== 200) return void refusals.push({ status: reply.status, text });
    }
  };
  await Promise.all(Array.from({ length: RUNS }, (_, at) => run(at % (options.specs ?? 1))));
  const open = () => rig.database.db('model_calls').where({ state: 'open' });
  await until(async () => (await open()).length === 0);
  const { rows } = await rig.database.db.raw(
    `select sum(cost)::float8 / 1e6 as usd from model_calls where state = 'settled'`,
  );
  const spend = await rig.database.db('model_spend');
  await rig.close();
  return { usd: Number(rows[0].usd), sent: provider.calls.length - before, refusals, spend };
}

describe('a budget that many runs share', () => {
  test.each([
    ['of a spec', { budget: { specUsd: BUDGET_USD } }, 'this spec'],
    [
      'of an installation',
      { budget: { specUsd: 100 }, installationDayUsd: BUDGET_USD, specs: RUNS },
      'this installation',
    ],
    ['of a run of no bound', { budget: { specUsd: BUDGET_USD, runUsd: null } }, 'this spec'],
  ])('%s overspends by one call at the most', async (whose, options, named) => {
    const { usd, sent, refusals, spend } = await spendAll(options);
    expect(usd).toBeGreaterThanOrEqual(BUDGET_USD);
    expect(usd).toBeLessThanOrEqual(BUDGET_USD + CALL_USD);
    expect(sent).toBe(Math.round(usd / CALL_USD));
    expect(refusals).toHaveLength(RUNS);
    expect(new Set(refusals.map(({ status }) => status))).toEqual(new Set([403]));
    for (const { text } of refusals) {
      expect(JSON.parse(text)).toMatchObject({ type: 'error', error: { type: 'billing_error' } });
      expect(text).toContain(named);
    }
    expect(spend.every((row) => row.open === 0 && Number(row.reserved) === 0)).toBe(true);
    recordClaim({
      claim: `${RUNS} runs at once on a budget ${whose} overspend by one call at the most`,
      figure: `$${usd.toFixed(2)} of $${BUDGET_USD.toFixed(2)}, ${sent} calls of $${CALL_USD.toFixed(2)}`,
    });
  });

  test('is not waited for by a call whose agent has gone, and that call is never sent', async () => {
    const rig = await openLlmRig({ provider: provider.url, budget: { specUsd: BUDGET_USD } });
    const before = provider.calls.length;
    const { db } = rig.database;
    // Somebody else's call has reserved all of it, and takes its time.
    const charge = { scope: 'spec', owner: rig.specIds[0]!, period: 'all' };
    await db('model_spend').insert({ ...charge, reserved: 1_000_000, open: 1 });
    const leaving = new AbortController();
    const asked = rig.ask(question, { signal: leaving.signal }).catch((error: Error) => error.name);
    await until(async () => (await db('model_spend')).length === 2);
    leaving.abort();
    expect(await asked).toBe('AbortError');
    await db('model_spend').where(charge).update({ reserved: 0, open: 0 });
    expect((await rig.ask(question)).status).toBe(200);
    expect(provider.calls.length).toBe(before + 1);
    await rig.close();
  });

  test('of nothing refuses the first call', async () => {
    const { sent, refusals } = await spendAll({ budget: { specUsd: 0 } });
    expect(sent).toBe(0);
    expect(refusals).toHaveLength(RUNS);
  });
});
