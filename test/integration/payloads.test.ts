import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ChildApp, type Line, openLine } from '../harness/line.ts';
import { until } from '../harness/until.ts';
import { type ExampleDelivery, exampleDeliveries, signedPost } from '../harness/webhook-examples.ts';

const SENDERS = 16;

let line: Line;
let app: ChildApp;

beforeAll(async () => {
  line = await openLine({ env: { LOG_LEVEL: 'info' } });
  app = await line.startChild();
});
afterAll(() => line.close());

/** Posts everything, a few at a time, and answers the statuses by GUID. */
async function postAll(examples: readonly ExampleDelivery[]): Promise<Map<string, number>> {
  const statuses = new Map<string, number>();
  const waiting = [...examples];
  const send = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const guid = randomUUID();
      const delivery = { guid, event: next.name, body: JSON.stringify(next.payload) };
      statuses.set(guid, await signedPost(`${app.url}/api/github/webhooks`, line.webhookSecret, delivery));
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, send));
  return statuses;
}

test('every published payload is accepted, stored once and ends with a reason, whoever it is about', async () => {
  const examples = exampleDeliveries();
  expect(examples).toHaveLength(726);
  const statuses = await postAll(examples);
  expect(new Set(statuses.values())).toEqual(new Set([202]));

  const { db } = line.database;
  const open = () => db('deliveries').whereIn('state', ['pending']).count({ n: '*' }).first();
  await until(async () => Number((await open())?.n) === 0, 25_000);
  const rows = await db('deliveries').select('guid', 'state', 'reason', 'event', 'action');
  expect(rows).toHaveLength(statuses.size);
  expect(new Set(rows.map(({ guid }) => guid))).toEqual(new Set(statuses.keys()));
  expect(rows.filter(({ state }) => state !== 'handled' && state !== 'ignored')).toEqual([]);
  expect(rows.filter(({ reason }) => !reason)).toEqual([]);

  const asked = rows.filter(({ event, action }) => event === 'issues' && action === 'labeled');
  expect(asked.length).toBeGreaterThan(0);
  expect(new Set(asked.map(({ reason }) => reason))).toEqual(
    new Set(['the App is not installed there', 'the payload lacks installation']),
  );
  expect(await db('specs')).toEqual([]);
  expect(await db('effects')).toEqual([]);

  app.kill('SIGTERM');
  expect(await app.exited).toEqual({ code: 0, signal: null });
  const log = await readFile(line.logFile, 'utf8');
  expect(log.split('\n').filter((one) => /"level":"(error|fatal)"|unhandled/i.test(one))).toEqual([]);
});
