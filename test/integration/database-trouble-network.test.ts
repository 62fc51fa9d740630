import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { giveUpOnSilence } from '../../src/db/silence.ts';
import type { Running } from '../../src/main.ts';
import { recordClaim, sized } from '../harness/claims.ts';
import { type FreshDatabase, freshDatabase } from '../harness/database.ts';
import { type Line, openLine } from '../harness/line.ts';
import { startTcpProxy, type TcpProxy } from '../harness/tcp-proxy.ts';
import { until } from '../harness/until.ts';
import { signedPost } from '../harness/webhook-examples.ts';

describe('a connection that dies unheard', () => {
  let fresh: FreshDatabase;
  let proxy: TcpProxy;

  beforeAll(async () => {
    fresh = await freshDatabase();
    proxy = await startTcpProxy(fresh.url);
  });
  afterAll(async () => {
    await proxy.close();
    await fresh.drop();
  });

  test('fails the statement that waits, and ends', async () => {
    const client = new pg.Client({ connectionString: proxy.url });
    giveUpOnSilence(client, 300);
    let ends = 0;
    client
      .on('error', () => {})
      .on('end', () => {
        ends += 1;
      });
    await client.connect();
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    proxy.swallow();
    await expect(client.query('select 1')).rejects.toThrow(/terminated/);
    await until(() => ends === 1);
    proxy.heal();
  });

  test('is left alone while a statement takes long but the answer comes, and while nothing is asked', async () => {
    const client = new pg.Client({ connectionString: proxy.url });
    giveUpOnSilence(client, 300);
    await client.connect();
    await client.query('select pg_sleep(0.1)');
    await until(
      async () =>
        (
          await fresh.db.raw("select now() - ?::timestamptz > interval '400 milliseconds' as over", [
            new Date(),
          ])
        ).rows[0].over === false,
    );
    expect((await client.query('select 2 as two')).rows).toEqual([{ two: 2 }]);
    await client.end();
  });
});

// Skipped in the ordinary suite: each takes as long as the limits that it holds: 5 s for a statement, 6 s of silence.
const unhurried = sized(describe.skip, describe);

unhurried('a process whose network to the database', () => {
  let line: Line;
  let proxy: TcpProxy;
  let app: Running;

  beforeEach(async () => {
    line = await openLine();
    proxy = await startTcpProxy(line.database.url);
    app = await line.startHere({ DATABASE_URL: proxy.url });
  });
  afterEach(async () => {
    proxy.heal();
    await app.stop();
    await proxy.close();
    await line.close();
  });

  const ready = async () => (await fetch(`${app.url}/health/ready`)).status;
  const stored = async (guid: string) => (await line.database.db('deliveries').where({ guid })).length;

  async function post(): Promise<{ guid: string; status: number; ms: number }> {
    const guid = randomUUID();
    const began = performance.now();
    const delivery = { guid, event: 'star', body: '{"action":"created"}' };
    const status = await signedPost(`${app.url}/api/github/webhooks`, line.webhookSecret, delivery);
    return { guid, status, ms: performance.now() - began };
  }

  /** Posts until the answer is the one that is wanted; every 2xx on the way has to have its row. */
  async function postUntil(wanted: number, ms: number): Promise<number> {
    const began = Date.now();
    await until(async () => {
      const { guid, status } = await post();
      if (status < 300) expect(await stored(guid)).toBe(1);
      return status === wanted;
    }, ms);
    return Date.now() - began;
  }

  test.each([
    ['goes silent', (network: TcpProxy) => network.swallow()],
    ['is refused', (network: TcpProxy) => network.refuse()],
  ])(
    '%s answers 503 in time, says that it is not ready, and recovers by itself',
    async (what, break_) => {
      expect([(await post()).status, await ready()]).toEqual([202, 200]);
      break_(proxy);
      const answers = await Promise.all(Array.from({ length: 32 }, post));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]));
      const slowest = Math.max(...answers.map(({ ms }) => ms));
      expect(slowest).toBeLessThan(6000);
      expect(await ready()).toBe(503);
      proxy.heal();
      const began = Date.now();
      const taken = await postUntil(202, 15_000);
      await until(async () => (await ready()) === 200, 15_000);
      const healthy = Date.now() - began;
      await until(
        async () => !(await line.database.db('deliveries').where({ state: 'pending' }).first()),
        15_000,
      );
      recordClaim({
        claim: `the network to the database ${what}: 503 in time, never a 2xx without a row, and back by itself`,
        figure: `503 after ${Math.round(slowest)} ms at most; deliveries taken again after ${taken} ms, ready after ${healthy} ms`,
      });
    },
    90_000,
  );

  test('is 2 s late in each direction takes no delivery that it did not store', async () => {
    proxy.slow(2000);
    const answers = await Promise.all(Array.from({ length: 8 }, post));
    for (const { guid, status } of answers) if (status < 300) expect(await stored(guid)).toBe(1);
    expect(answers.filter(({ status }) => ![200, 202, 503].includes(status))).toEqual([]);
    proxy.slow(0);
    await postUntil(202, 15_000);
  }, 60_000);

  test('died for the connection that listens still works on new deliveries within 5 s, and listens again', async () => {
    await until(async () => (await listening()) === 1);
    proxy.swallow('specwright-listen');
    const { guid, status } = await post();
    const began = Date.now();
    expect(status).toBe(202);
    const row = () => line.database.db('deliveries').where({ guid }).first();
    await until(async () => (await row()).state === 'ignored', 15_000);
    const taken = Date.now() - began;
    expect(taken).toBeLessThan(5000);
    await until(async () => (await listening()) > 1, 20_000);
    recordClaim({
      claim: 'half-open LISTEN connection: the inbox polls, and listens again',
      figure: `decided ${taken} ms after the answer, a new connection after ${Date.now() - began} ms`,
    });
  }, 60_000);

  /** The server still has the dead one, of which it knows nothing. */
  async function listening(): Promise<number> {
    const { rows } = await line.database.db.raw(
      `select count(*)::int as n from pg_stat_activity
       where application_name like 'specwright-listen%' and datname = current_database()`,
    );
    return rows[0].n;
  }

  test('is well but whose pool is exhausted says so, stores what it takes, and is ready again afterwards', async () => {
    const held = Array.from({ length: 12 }, async () => {
      const trx = await app.opened.deps.db.transaction();
      return trx;
    });
    const open = await Promise.all(held);
    expect(await ready()).toBe(503);
    const { guid, status } = await post();
    expect(status).toBe(202);
    expect(await stored(guid)).toBe(1);
    await Promise.all(open.map((trx) => trx.rollback().catch(() => {})));
    await until(async () => (await ready()) === 200, 10_000);
  }, 60_000);
});
