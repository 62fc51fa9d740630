import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Knex } from 'knex';
import { connectDatabase } from '../../src/db/connect.ts';
import type { Running } from '../../src/main.ts';
import { TEST_SERVER } from '../harness/database.ts';
import { type Line, openLine } from '../harness/line.ts';
import { until } from '../harness/until.ts';
import { signedPost } from '../harness/webhook-examples.ts';

let line: Line;
let app: Running;
let admin: Knex;
let name: string;

beforeAll(async () => {
  line = await openLine();
  app = await line.startHere({ ROLE: 'web' });
  admin = connectDatabase(process.env[TEST_SERVER]!, { poolSize: 1, applicationName: 'test-admin' });
  name = new URL(line.database.url).pathname.slice(1);
});
afterAll(async () => {
  await allow(true);
  await line.close();
  await admin.destroy();
});

/** Takes the database away from everybody, or gives it back. */
async function allow(yes: boolean): Promise<void> {
  await admin.raw(`alter database ${name} with allow_connections ${yes}`);
  if (!yes)
    await admin.raw('select pg_terminate_backend(pid) from pg_stat_activity where datname = ?', [name]);
}

async function ready(): Promise<{
  status: number;
  checks: { name: string; ok: boolean; reason?: string }[];
}> {
  const response = await fetch(`${app.url}/health/ready`);
  return { ...((await response.json()) as { checks: [] }), status: response.status };
}

const post = () =>
  signedPost(`${app.url}/api/github/webhooks`, line.webhookSecret, {
    guid: randomUUID(),
    event: 'ping',
    body: '{"zen":"Keep it logically awesome."}',
  });

test('while the database is gone the process lives, is not ready and says why, and takes no webhook', async () => {
  expect(await ready()).toMatchObject({ status: 200, checks: [{ name: 'database', ok: true }, {}, {}] });
  expect(await post()).toBe(202);

  await allow(false);
  const { status, checks } = await ready();
  expect(status).toBe(503);
  expect(checks[0]).toEqual({ name: 'database', ok: false, reason: 'the database does not answer' });
  expect((await fetch(`${app.url}/health/live`)).status).toBe(200);
  const asked = performance.now();
  expect(await post()).toBe(503);
  expect(performance.now() - asked).toBeLessThan(6000);

  await allow(true);
  await until(async () => (await ready()).status === 200);
  await until(async () => (await post()) === 202);
});

test('a process of the role web says that others run the sandboxes', async () => {
  const { checks } = await ready();
  expect(checks).toContainEqual({ name: 'sandboxes', ok: true, reason: 'run by other processes' });
});
