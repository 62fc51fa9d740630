import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { connectDatabase } from '../../src/db/connect.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/db/embedded/start.ts';
import { recordClaim, sized } from '../harness/claims.ts';
import type { FreshDatabase } from '../harness/database.ts';
import { settledInvariants } from '../harness/invariants.ts';
import { type Line, openLine, quickScript } from '../harness/line.ts';
import { startTcpProxy } from '../harness/tcp-proxy.ts';
import { until } from '../harness/until.ts';
import { liftWriteBudget } from '../harness/write-budget.ts';

const TROUBLE_MS = sized(3_000, 300_000);
/** So many specs are under way while there is trouble. */
const AT_WORK = sized(1, 3);
const SETTLE_MS = 120_000;

let line: Line;

beforeEach(async () => {
  line = await openLine({ script: quickScript(sized(100, 500)) });
});
afterEach(() => line.close());

/** Keeps some specs under way until the trouble is over, then waits for all of them; answers how many there were. */
async function workThrough(on: Line, trouble: Promise<unknown>): Promise<number> {
  let over = false;
  void trouble.finally(() => {
    over = true;
  });
  const live = () => on.database.db('specs').whereNotIn('status', ['merged']);
  let asked = 0;
  while (!over) {
    const open = await live().then(
      (rows) => rows.length,
      () => AT_WORK,
    );
    for (let more = open; more < AT_WORK && !over; more += 1) {
      asked += 1;
      await on.request(`Greeting ${asked}`);
      await merged(on);
    }
    await delay(200);
  }
  await trouble;
  const whole = async () => (await on.database.db('specs')).length === asked && (await live()).length === 0;
  await until(async () => {
    await merged(on);
    return whole();
  }, SETTLE_MS).catch(async () => {
    const left = (await live()).map(({ status, phase, cause }) => `${status} ${phase} ${cause}`);
    expect({ asked, left }).toEqual({ asked, left: [] });
  });
  return asked;
}

/** Merges every open pull request, as a person would. */
async function merged(on: Line): Promise<void> {
  const repo = (await on.github.state()).repos[on.world.repo.fullName]!;
  for (const { number } of repo.pulls.filter(({ state }) => state === 'open'))
    await on.api('PUT', `/repos/${repo.fullName}/pulls/${number}/merge`, {}).catch(() => {});
}

describe('specs under way', () => {
  test(
    'reach their merge while every session is terminated each second, and nothing is lost or doubled',
    async () => {
      await liftWriteBudget(line.database.db);
      await line.startHere();
      const name = new URL(line.database.url).pathname.slice(1);
      let ended = 0;
      const trouble = (async () => {
        for (const end = Date.now() + TROUBLE_MS; Date.now() < end; await delay(1000)) {
          const { rows } = await line.database.db.raw(
            `select pg_terminate_backend(pid) from pg_stat_activity
           where datname = ? and application_name like 'specwright%'`,
            [name],
          );
          ended += rows.length;
        }
      })();
      const specs = await workThrough(line, trouble);
      expect(ended).toBeGreaterThan(3);
      expect(await settledInvariants(line, {}, SETTLE_MS)).toEqual([]);
      await everythingEnded(line);
      recordClaim({
        claim: 'sessions terminated each second: nothing lost, nothing doubled',
        figure: `${TROUBLE_MS / 1000} s, ${ended} sessions terminated, ${specs} specs merged`,
      });
    },
    TROUBLE_MS + SETTLE_MS + 60_000,
  );
});

async function everythingEnded({ github, database }: Line): Promise<void> {
  await github.idle();
  await until(async () => !(await database.db('deliveries').where({ state: 'pending' }).first()));
  expect(await database.db('deliveries').where({ state: 'parked' })).toEqual([]);
}

// Skipped in the ordinary suite: a restart takes seconds, and it has to be seen several times.
const whole = sized(describe.skip, describe);

whole('while PostgreSQL is restarted again and again', () => {
  const RESTARTS = 12;
  let folder: string;
  let server: EmbeddedPostgres;

  const start = () => startEmbeddedPostgres({ dataDir: folder, dieWithParent: true });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'specwright-restart-'));
    await chmod(folder, 0o711);
    server = await start();
  });
  afterEach(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('specs reach their merge, and nothing is lost or doubled', async () => {
    const proxy = await startTcpProxy(server.url);
    const app = await line.startHere({ DATABASE_URL: proxy.url });
    const db = connectDatabase(proxy.url, { poolSize: 4, applicationName: 'test' });
    const there: FreshDatabase = { url: proxy.url, db, drop: async () => {} };
    const on: Line = { ...line, database: there };
    await liftWriteBudget(db);
    const health: number[] = [];
    const trouble = (async () => {
      for (let restart = 0; restart < RESTARTS; restart += 1) {
        await delay(6000);
        await server.stop();
        health.push((await fetch(`${app.url}/health/ready`)).status);
        server = await start();
        proxy.redirect(server.url);
        await until(async () => (await fetch(`${app.url}/health/ready`)).status === 200, 15_000);
      }
    })();
    const specs = await workThrough(on, trouble);
    expect(new Set(health)).toEqual(new Set([503]));
    expect(await settledInvariants(on, {}, SETTLE_MS)).toEqual([]);
    await everythingEnded(on);
    recordClaim({
      claim: 'PostgreSQL restarted under load: nothing lost, nothing doubled, health truthful',
      figure: `${RESTARTS} restarts, ${specs} specs merged`,
    });
    await app.stop();
    await db.destroy();
    await proxy.close();
  }, 600_000);
});
