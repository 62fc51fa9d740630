import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { bearerOf, type LlmRig, openLlmRig, REAL_KEY } from '../harness/llm-rig.ts';
import { messagesFaults, startMessagesApi } from '../harness/messages-api.ts';
import type { ModelAnswer, ModelStub } from '../harness/model-api.ts';
import { until } from '../harness/until.ts';

let provider: ModelStub;
let rig: LlmRig;
let answer: ModelAnswer;

beforeAll(async () => {
  provider = await startMessagesApi({ play: () => answer });
  rig = await openLlmRig({ provider: provider.url, budget: { specUsd: 1000 } });
});
afterAll(async () => {
  await rig.close();
  await provider.close();
});

const question = {
  model: 'claude-opus-4-5-20251101',
  max_tokens: 1000,
  stream: true,
  messages: [{ role: 'user', content: 'Hello' }],
};
const says = (text: string): ModelAnswer => ({
  blocks: [{ type: 'text', text }],
  usage: { input: 100, cacheRead: 1000, cacheWrite: 200, output: 40 },
});

async function settled(): Promise<Record<string, unknown>> {
  const newest = () => rig.database.db('model_calls').orderBy('opened_at', 'desc').first();
  await until(async () => (await newest())?.state !== 'open');
  return newest();
}

describe('a call to a model', () => {
  test('passes as it is, with the real key in place of what the sandbox sent', async () => {
    answer = says('Good day');
    const headers = {
      'anthropic-beta': 'new-thing-2026-11-01',
      'x-unknown': 'stays',
      'x-api-key': 'sandbox',
    };
    const reply = await rig.ask({ ...question, unknown_key: { deep: [1] } }, { headers });
    const direct = await fetch(`${provider.url}/v1/messages`, {
      method: 'POST',
      body: JSON.stringify(question),
    });
    const strip = (text: string) => text.replaceAll(/msg_\w+/g, 'msg');
    expect(strip(await reply.text())).toBe(strip(await direct.text()));
    const call = provider.calls.at(-2)!;
    expect(call.body).toEqual({ ...question, unknown_key: { deep: [1] } });
    expect(call.headers).toMatchObject({
      'x-api-key': REAL_KEY,
      'anthropic-beta': 'new-thing-2026-11-01',
      'x-unknown': 'stays',
    });
    expect(call.headers.authorization).toBeUndefined();
    expect([...reply.headers.values()].join()).not.toContain(REAL_KEY);
  });

  test.each([true, false])('is metered and priced, streamed or not (%s)', async (stream) => {
    answer = says('Good day');
    await (await rig.ask({ ...question, stream })).text();
    // 100 × $5 + 1000 × $0.50 + 200 × $6.25 + 40 × $25 a million.
    expect(await settled()).toMatchObject({
      state: 'settled',
      cost: 3250,
      measured: 'reported',
      priced: 'listed',
    });
  });

  test('counts at the dearest price where its model has none', async () => {
    answer = says('Good day');
    await (await rig.ask({ ...question, model: 'somebody-elses-1' })).text();
    const { cost, priced } = await settled();
    expect(priced).toBe('dearest');
    expect(Number(cost)).toBeGreaterThan(3250);
  });

  test('counts by its size when the reply breaks off, and the sandbox sees it broken', async () => {
    answer = { ...says('word '.repeat(500)), pieceLength: 20, paceMs: 1, cutAfter: 30 };
    await expect((await rig.ask(question)).text()).rejects.toThrow(/terminated|aborted|closed/);
    const { measured, output_tokens } = await settled();
    expect(measured).toBe('estimated');
    expect(Number(output_tokens)).toBeGreaterThan(100);
  });

  test('is ended at the provider when the agent goes away', async () => {
    answer = { ...says('word '.repeat(1000)), pieceLength: 5, paceMs: 5 };
    const leaving = new AbortController();
    const reply = await rig.ask(question, { signal: leaving.signal });
    await reply.body!.getReader().read();
    leaving.abort();
    expect(await settled()).toMatchObject({ measured: 'estimated' });
  });

  test.each([
    ['a limit', messagesFaults.rateLimited(30), 429, 'quota'],
    ['no credit', messagesFaults.noCredit, 400, 'quota'],
    ['overload', messagesFaults.overloaded, 529, 'overload'],
  ])(
    "passes the provider's own word for %s on, costs nothing, and is noted",
    async (_, fault, status, trouble) => {
      answer = { fault };
      const reply = await rig.ask(question);
      expect(reply.status).toBe(status);
      expect(await reply.json()).toMatchObject({ type: 'error', error: { type: fault.type } });
      expect(await settled()).toMatchObject({ cost: 0, status, refusal: { by: 'provider', why: trouble } });
    },
  );

  test("is refused in our words when the provider refuses the key, since the provider's may quote it", async () => {
    answer = { fault: { ...messagesFaults.unauthorized, message: `invalid key ${REAL_KEY}` } };
    const reply = await rig.ask(question);
    expect(reply.status).toBe(403);
    const text = await reply.text();
    expect(text).not.toContain(REAL_KEY);
    expect(text).toContain('credentials set');
    expect(await settled()).toMatchObject({ refusal: { by: 'provider', why: 'credential' } });
  });

  test('gets no refusal that quotes the key, whatever the provider is', async () => {
    answer = {
      fault: { status: 400, type: 'invalid_request_error', message: `x-api-key: ${REAL_KEY}, bad` },
    };
    const text = await (await rig.ask(question)).text();
    expect(text).toContain('x-api-key: ***, bad');
    expect(text).not.toContain(REAL_KEY);
  });

  test('that is none to a model is refused, in the shape of the provider', async () => {
    const headers = { authorization: `Bearer ${bearerOf(0)}` };
    const before = provider.calls.length;
    for (const path of [
      '/v1/files',
      '/v1/messages/batches',
      '/v1/organizations/users',
      '/v1/messages/../files',
    ]) {
      const reply = await fetch(`${rig.url('anthropic')}${path}`, { headers, method: 'POST', body: '{}' });
      expect([path, reply.status]).toEqual([path, 400]);
      expect(await reply.json()).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } });
    }
    expect(provider.calls.length).toBe(before);
  });

  test('that lets the provider reach other hosts is refused', async () => {
    const tools = [{ type: 'web_fetch_20250910', name: 'web_fetch' }];
    const reply = await rig.ask({ ...question, tools });
    expect(reply.status).toBe(400);
    expect(await reply.text()).toContain('web_fetch_20250910');
    const own = [{ name: 'web_fetch', input_schema: { type: 'object' } }];
    answer = says('Good day');
    expect((await rig.ask({ ...question, tools: own })).status).toBe(200);
  });
});

test('a sandbox that was replaced is told to stop', async () => {
  const reply = await fetch(`${rig.url('anthropic').replace('/1/', '/2/')}/v1/messages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${bearerOf(0)}` },
    body: '{}',
  });
  expect(reply.status).toBe(410);
});

test('without a credential a call is refused with where to add one', async () => {
  const poor = await openLlmRig({ provider: provider.url, credential: null });
  const reply = await poor.ask(question);
  expect(reply.status).toBe(403);
  expect(await reply.text()).toContain('nobody has a credential');
  expect(await poor.database.db('model_calls').first()).toMatchObject({
    state: 'refused',
    refusal: { by: 'us', why: 'credential' },
  });
  await poor.close();
});
