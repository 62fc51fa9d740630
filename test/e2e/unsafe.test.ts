import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Running } from '../../src/main.ts';
import { type Line, openLine } from '../harness/line.ts';
import { until } from '../harness/until.ts';

const TOKEN = '0f2d4b6c8e1a3957bd0c2e4f6a8b1d3c';

let line: Line;
let app: Running;
let specId: string;

const readSpec = () => line.database.db('specs').first();
const issue = async () => (await line.github.state()).repos[line.world.repo.fullName]!.issues[0]!;
const ask = async (path: string, token?: string) => {
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  const response = await fetch(`${app.url}${path}`, { headers });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

beforeAll(async () => {
  line = await openLine({ env: { SANDBOX_UNSAFE: 'process', API_TOKEN: TOKEN } });
  app = await line.startHere();
  await line.request();
  await until(async () => (await readSpec())?.status === 'in_review', 25_000);
  specId = (await readSpec()).id;
}, 40_000);
afterAll(() => line.close());

test('without isolation the health page says so, and the process is ready all the same', async () => {
  const { status, body } = await ask('/health/ready');
  expect(status).toBe(200);
  expect(body.checks).toContainEqual({
    name: 'sandboxes',
    ok: true,
    reason: 'UNSAFE: plain processes without isolation',
  });
  expect(await ask('/health/live')).toEqual({ status: 200, body: { status: 'live' } });
});

test('operators with the token can ask what the sandbox is at', async () => {
  const { status, body } = await ask(`/api/v1/specs/${specId}/sandbox-status`, TOKEN);
  expect(status).toBe(200);
  expect(body).toMatchObject({
    specId,
    status: 'in_review',
    sandbox: { provider: 'local', isolated: false, generation: 1 },
  });
});

test('operators with the token can page through the events', async () => {
  const first = await ask(`/api/v1/specs/${specId}/events?limit=2`, TOKEN);
  expect(first.body).toMatchObject({
    events: [{ seq: 1, type: 'spec.execution_started' }, { seq: 2 }],
    next: 2,
  });
  const rest = await ask(`/api/v1/specs/${specId}/events?after=2&limit=500`, TOKEN);
  const events = rest.body.events as { seq: number; type: string }[];
  expect(rest.body.next).toBeNull();
  expect(events[0]?.seq).toBe(3);
  expect(events.map(({ type }) => type)).toContain('spec.pr_created');
  const only = await ask(`/api/v1/specs/${specId}/events?type=spec.pr_created`, TOKEN);
  expect(only.body.events).toMatchObject([{ payload: { number: 2 } }]);
});

test.each(['sandbox-status', 'events'])('%s is for the token’s holder, and of known specs', async (page) => {
  expect((await ask(`/api/v1/specs/${specId}/${page}`)).status).toBe(401);
  expect((await ask(`/api/v1/specs/${specId}/${page}`, `${TOKEN}x`)).status).toBe(401);
  expect((await ask(`/api/v1/specs/${randomUUID()}/${page}`)).status).toBe(401);
  expect((await ask(`/api/v1/specs/${randomUUID()}/${page}`, TOKEN)).status).toBe(404);
  expect((await ask(`/api/v1/specs/1/${page}`, TOKEN)).status).toBe(404);
});

test('the work goes through to the merge, and comment and pull request say that it was not isolated', async () => {
  const pull = (await line.github.state()).repos[line.world.repo.fullName]!.pulls[0]!;
  expect(pull.body).toContain('in a **not isolated** `local` sandbox');
  await line.api('PUT', `/repos/${line.world.repo.fullName}/pulls/${pull.number}/merge`, {});
  const status = async () => (await issue()).comments[0]!.body;
  await until(async () => (await status()).startsWith('## 🎉 Merged in #2'));
  expect(await status()).toContain('> [!WARNING]\n> The sandbox is **not isolated**');
  expect(await status()).toContain('sandbox `local` (not isolated)');
  await until(async () => {
    const { branches, hiddenRefs } = (await line.github.state()).repos[line.world.repo.fullName]!;
    return Object.keys(branches).length === 1 && Object.keys(hiddenRefs).length === 0;
  });
});
