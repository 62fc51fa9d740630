import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import Fastify, { type FastifyInstance } from 'fastify';
import { type EventsQuery, type SpecReader, specsApi } from '../../src/http/api/specs.ts';
import { createLogger } from '../../src/log.ts';

const token = 'f3b1c2d4e5a697887766554433221100';
const known = randomUUID();
const asked: [string, EventsQuery][] = [];
const lines: string[] = [];
const log = createLogger({
  level: 'info',
  secrets: [],
  destination: { write: (line) => void lines.push(line) },
});

const read: SpecReader = {
  sandboxStatus: async (id) => (id === known ? { state: 'running' } : null),
  events: async (id, query) => {
    asked.push([id, query]);
    if (query.type === 'broken') throw new Error('relation "spec_events" does not exist');
    return id === known ? { events: [], next: null } : null;
  },
};

let app: FastifyInstance | undefined;
afterEach(() => app?.close());

async function get(
  path: string,
  authorization: string | null = `Bearer ${token}`,
  apiToken: string | null = token,
) {
  app = Fastify();
  await app.register(specsApi({ token: apiToken, read, log }));
  const answer = await app.inject({
    url: `/api/v1/specs/${path}`,
    headers: authorization ? { authorization } : {},
  });
  return { status: answer.statusCode, type: answer.headers['content-type'], body: answer.json() };
}

describe("the operator's token", () => {
  test.each([
    ['no header', null],
    ['another token', 'Bearer f3b1c2d4e5a697887766554433221101'],
    ['a longer token', `Bearer ${token}0`],
    ['an empty token', 'Bearer '],
    ['another scheme', `Basic ${token}`],
  ])('%s is answered 401 with problem+json', async (_what, authorization) => {
    expect(await get(`${known}/events`, authorization)).toMatchObject({
      status: 401,
      type: expect.stringContaining('application/problem+json'),
      body: { status: 401, title: expect.any(String), detail: expect.stringContaining('API_TOKEN') },
    });
  });

  test('while API_TOKEN is unset every request is answered 401 with what to set', async () => {
    expect(await get(`${known}/events`, 'Bearer null', null)).toMatchObject({
      status: 401,
      body: { detail: expect.stringContaining('Set API_TOKEN') },
    });
  });

  test('nobody learns without it whether a spec exists', async () => {
    const [one, other] = [await get(`${known}/events`, null), await get(`${randomUUID()}/events`, null)];
    expect(one).toEqual(other);
  });
});

describe('questions about a spec', () => {
  test('sandbox-status gives what is known', async () => {
    expect(await get(`${known}/sandbox-status`)).toMatchObject({ status: 200, body: { state: 'running' } });
  });

  test('an id in capitals is the same id', async () => {
    expect((await get(`${known.toUpperCase()}/sandbox-status`)).status).toBe(200);
  });

  test.each([randomUUID(), 'not-a-uuid', '%27%20or%201=1'])('%s is answered 404', async (id) => {
    for (const path of ['sandbox-status', 'events']) {
      expect(await get(`${id}/${path}`)).toMatchObject({
        status: 404,
        body: { title: 'There is no such spec.' },
      });
    }
  });

  test('events are asked for from a place on, by type, a page at a time', async () => {
    await get(`${known}/events?after=7&limit=2&type=spec.merged`);
    expect(asked.at(-1)).toEqual([known, { after: 7, limit: 2, type: 'spec.merged' }]);
    await get(`${known}/events`);
    expect(asked.at(-1)).toEqual([known, { after: 0, limit: 100, type: null }]);
  });

  test.each(['after=x', 'limit=0', 'limit=501', 'type=%00', 'unknown=1', 'after=1&after=2'])(
    'the query %s is answered 400',
    async (query) => {
      expect((await get(`${known}/events?${query}`)).status).toBe(400);
    },
  );

  test('a failure is answered 500 with an id that the log has, and without its text', async () => {
    const answer = await get(`${known}/events?type=broken`);
    expect(answer).toMatchObject({ status: 500, type: expect.stringContaining('problem+json') });
    expect(JSON.stringify(answer.body)).not.toContain('spec_events');
    const { problem } = JSON.parse(lines.at(-1) ?? '{}') as { problem: string };
    expect(JSON.stringify(answer.body)).toContain(problem);
  });
});
