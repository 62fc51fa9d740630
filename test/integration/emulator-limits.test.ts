import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { GITHUB_PRIMARY_LIMITS, GITHUB_SECONDARY_LIMITS } from '../../src/emulator/emulator.ts';
import {
  type Answer,
  askGraphql,
  type EmulatedGithub,
  startEmulatedGithub,
} from '../harness/emulated-github.ts';
import { runGit } from '../harness/git-command.ts';
import { until } from '../harness/until.ts';

let github: EmulatedGithub;
let token: string;

beforeAll(async () => {
  github = await startEmulatedGithub();
  token = await github.token();
  await github.call(token, `POST ${REPO}/issues`, { title: 'One' });
});

afterEach(() => {
  const { hooks } = github.emulator;
  hooks.limits = { ...GITHUB_PRIMARY_LIMITS };
  hooks.secondaryLimits = null;
  hooks.freshTokens = { refusedForMs: 0, status: 401 };
  hooks.onRequest = undefined;
});

afterAll(() => github.close());

const REPO = '/repos/acme/greeter';
const HOUR_MS = 3_600_000;

function rate({ headers }: Answer) {
  const number = (name: string) => Number(headers.get(`x-ratelimit-${name}`));
  return {
    limit: number('limit'),
    remaining: number('remaining'),
    used: number('used'),
    reset: number('reset'),
    resource: headers.get('x-ratelimit-resource'),
  };
}

describe('the hourly limit', () => {
  test('is told with every answer, counts down, and is full again after an hour of the emulator', async () => {
    github.emulator.advanceClock(2 * HOUR_MS);
    token = await github.token();
    const first = rate(await github.call(token, `GET ${REPO}`));
    const missing = rate(await github.call(token, `GET ${REPO}/issues/99`));
    expect(first).toMatchObject({ limit: 5000, remaining: 4999, used: 1, resource: 'core' });
    expect(missing).toEqual({ ...first, remaining: 4998, used: 2 });
    github.emulator.advanceClock(HOUR_MS - 60_000);
    expect(rate(await github.call(token, `GET ${REPO}`)).used).toBe(3);
    github.emulator.advanceClock(61_000);
    token = await github.token();
    const next = await github.call(token, `GET ${REPO}`);
    expect(rate(next).used).toBe(1);
    const left = rate(next).reset - Date.parse(next.headers.get('date') ?? '') / 1000;
    expect(left).toBeGreaterThanOrEqual(3599);
    expect(left).toBeLessThanOrEqual(3601);
  });

  test('belongs to an installation, a person or an address, and GraphQL has its own', async () => {
    const { used } = rate(await github.call(token, `GET ${REPO}`));
    const mona = github.demo.people.maintainer.token;
    await github.call(mona, `GET ${REPO}`);
    expect(rate(await github.call(null, `GET ${REPO}`)).limit).toBe(60);
    const graphql = await askGraphql(github, token, { query: '{ viewer { login } }' });
    expect(graphql.headers.get('x-ratelimit-resource')).toBe('graphql');
    expect(graphql.headers.get('x-ratelimit-used')).toBe('1');
    expect(rate(await github.call(await github.token(), `GET ${REPO}`)).used).toBe(used + 1);
  });

  test('refuses with 403 once it is used up, and asking for it stays free', async () => {
    const { used } = rate(await github.call(token, `GET ${REPO}`));
    github.emulator.hooks.limits.core = used + 1;
    expect((await github.call(token, `GET ${REPO}`)).status).toBe(200);
    const refused = await github.call(token, `POST ${REPO}/issues`, { title: 'Refused' });
    expect(refused.status).toBe(403);
    expect(refused.body.message).toContain(
      `API rate limit exceeded for installation ID ${github.demo.installation.id}.`,
    );
    expect(rate(refused)).toMatchObject({ remaining: 0, used: used + 1 });
    const asked = await github.call(token, 'GET /rate_limit');
    expect(asked.body.rate).toMatchObject({ limit: used + 1, remaining: 0 });
    expect(asked.body.resources).toMatchObject({ core: asked.body.rate, graphql: { limit: 5000 } });
    expect((await github.call(null, `GET ${REPO}/issues`)).body).toHaveLength(1);
  });
});

describe('a conditional request', () => {
  async function ask(bearer: string | null, etag?: string): Promise<Response> {
    return fetch(`${github.emulator.apiUrl}${REPO}`, {
      headers: {
        ...(bearer ? { authorization: `Bearer ${bearer}` } : {}),
        ...(etag ? { 'if-none-match': etag } : {}),
      },
    });
  }

  test('that finds nothing new is answered 304 and does not count', async () => {
    const first = await ask(token);
    const etag = first.headers.get('etag') ?? '';
    const again = await ask(token, `"other", ${etag}`);
    expect([first.status, again.status, await again.text()]).toEqual([200, 304, '']);
    expect(again.headers.get('etag')).toBe(etag);
    expect(again.headers.get('x-ratelimit-used')).toBe(first.headers.get('x-ratelimit-used'));
  });

  test('knows only the ETags of its own token', async () => {
    const etag = (await ask(token)).headers.get('etag') ?? '';
    expect((await ask(await github.token(), etag)).status).toBe(200);
    expect((await ask(null, etag)).status).toBe(200);
  });
});

describe('the limits of bursts', () => {
  function comment(text: string): Promise<Answer> {
    return github.call(token, `POST ${REPO}/issues/1/comments`, { body: text });
  }

  test('stop content after so many writes in a minute and in an hour', async () => {
    github.emulator.hooks.secondaryLimits = {
      ...GITHUB_SECONDARY_LIMITS,
      contentPerMinute: 2,
      contentPerHour: 3,
    };
    const statuses = [await comment('a'), await comment('b')].map((one) => one.status);
    const refused = await comment('c');
    expect(statuses).toEqual([201, 201]);
    expect(refused).toMatchObject({
      status: 403,
      body: { message: expect.stringContaining('secondary rate limit'), status: '403' },
    });
    expect(refused.headers.get('retry-after')).toBe('60');
    expect(rate(refused).remaining).toBeGreaterThan(0);
    expect((await github.call(token, `GET ${REPO}`)).status).toBe(200);
    github.emulator.advanceClock(61_000);
    expect([(await comment('d')).status, (await comment('e')).status]).toEqual([201, 403]);
    github.emulator.advanceClock(61_000);
    expect((await comment('f')).status).toBe(403);
  });

  test('weigh a write like five reads, and may answer 429 without a time', async () => {
    github.emulator.advanceClock(HOUR_MS);
    token = await github.token();
    github.emulator.hooks.secondaryLimits = {
      ...GITHUB_SECONDARY_LIMITS,
      restPointsPerMinute: 6,
      status: 429,
      retryAfter: null,
    };
    expect([(await comment('five')).status, (await github.call(token, `GET ${REPO}`)).status]).toEqual([
      201, 200,
    ]);
    const refused = await github.call(token, `GET ${REPO}`);
    expect(refused.status).toBe(429);
    expect(refused.headers.has('retry-after')).toBe(false);
  });

  test('stop what is too much at the same time', async () => {
    github.emulator.hooks.secondaryLimits = { ...GITHUB_SECONDARY_LIMITS, concurrent: 2 };
    const slow = [1, 2].map(() =>
      request(`${github.emulator.apiUrl}${REPO}/issues`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
      }),
    );
    const before = github.emulator.requests().length;
    const answers = slow.map((one) => once(one, 'response') as Promise<[IncomingMessage]>);
    for (const one of slow) one.write('{"title":');
    await until(() => github.emulator.requests().length === before + 2);
    const refused = await github.call(token, `GET ${REPO}`);
    for (const one of slow) one.end('"Slow"}');
    const statuses = (await Promise.all(answers)).map(([answer]) => answer.resume().statusCode);
    expect([refused.status, ...statuses]).toEqual([403, 201, 201]);
    expect((await github.call(token, `GET ${REPO}`)).status).toBe(200);
  });
});

describe('a fresh token', () => {
  beforeAll(() =>
    github.emulator.createRepository({ owner: 'acme', name: 'secret', files: { a: 'a' }, private: true }),
  );

  test.each([401, 403] as const)('is refused with %d until GitHub knows it everywhere', async (status) => {
    github.emulator.hooks.freshTokens = { refusedForMs: 5000, status };
    const fresh = await github.token();
    const folder = await github.folder();
    const reads = async () => [
      (await github.call(fresh, 'GET /repos/acme/secret')).status,
      (await runGit(folder, ['ls-remote', github.remote(fresh, 'acme/secret')])).code === 0,
    ];
    expect(await reads()).toEqual([status, false]);
    github.emulator.advanceClock(5000);
    expect(await reads()).toEqual([200, true]);
  });
});
