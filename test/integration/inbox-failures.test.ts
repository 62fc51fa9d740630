import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { FatalError, RetryableError, StaleError } from '../../src/errors.ts';
import type { Dispatcher, InboxEvent } from '../../src/services/inbox/dispatch.ts';
import { deliver, onIssue } from '../harness/inbox.ts';
import { inboxRig } from '../harness/inbox-rig.ts';
import { until } from '../harness/until.ts';

const { fresh, start, row, ended } = inboxRig();

describe('unclear answers', () => {
  test('hold up their lane only, and are asked for again', async () => {
    const tries: string[] = [];
    const [held, behind, other] = [
      await deliver(fresh.db, onIssue(1)),
      await deliver(fresh.db, onIssue(1)),
      await deliver(fresh.db, onIssue(2)),
    ];
    start({
      gather: async ({ guid }) => {
        tries.push(guid);
        if (guid === held && tries.filter((tried) => tried === held).length < 2)
          throw new RetryableError('502 from GitHub');
        return {};
      },
    });
    await until(() => ended(other));
    expect(await row(held)).toMatchObject({
      state: 'pending',
      attempts: 0,
      reason: 'RetryableError: 502 from GitHub',
    });
    expect(await row(behind)).toMatchObject({ state: 'pending', gathered: null });
    await until(() => ended(behind));
    expect(tries).toEqual([held, other, held, behind]);
  });

  test('include no answer at all within the limit', async () => {
    const guid = await deliver(fresh.db, onIssue(1));
    const gather = () => new Promise<never>(() => {});
    start({ gather }, { settings: { gatherMs: 20 } });
    await until(async () => (await row(guid)).reason === 'RetryableError: no answer within the time limit');
    expect(await row(guid)).toMatchObject({
      state: 'pending',
      attempts: 0,
      gathered: { unclear: { tries: 1 } },
    });
  });

  test('end after their time in the decision that nothing could be verified', async () => {
    const guid = await deliver(fresh.db, onIssue(1));
    const behind = await deliver(fresh.db, onIssue(1, { fine: true }));
    const unclear = async ({ payload }: InboxEvent) => {
      if (payload.fine) return {};
      throw new RetryableError('limit', { retryAt: new Date(Date.now() + 3_600_000) });
    };
    const inbox = start({ gather: unclear }, { settings: { unclearMs: 300 } });
    await until(() => ended(guid));
    await inbox.idle();
    expect(await row(guid)).toMatchObject({ state: 'ignored', reason: 'could not verify' });
    expect(await row(behind)).toMatchObject({ state: 'handled' });
  });
});

describe('failures', () => {
  test('are tried again with what was gathered, and park the delivery at the last; its lane goes on', async () => {
    let asked = 0;
    let decided = 0;
    const guid = await deliver(fresh.db, onIssue(1, { secret: 'canary-value' }));
    const behind = await deliver(fresh.db, onIssue(1, { fine: true }));
    const inbox = start(
      {
        gather: async ({ payload }) => {
          if (!payload.fine) asked += 1;
          return {};
        },
        decide: async (_trx, { payload }) => {
          if (payload.fine) return { outcome: 'handled', reason: 'seen' };
          decided += 1;
          throw new TypeError(`can not read ${String(payload.secret)}`);
        },
      },
      { settings: { attempts: 2 } },
    );
    await until(() => ended(behind));
    expect([asked, decided]).toEqual([1, 2]);
    expect(await row(guid)).toMatchObject({ state: 'parked', reason: 'TypeError' });
    const log = inbox.lines.join('');
    expect(log).toContain('"level":"error"');
    expect(log).toContain('delivery parked');
    expect(log).not.toContain('canary-value');
  });

  test('of the database inside a decision are failures like others', async () => {
    const guid = await deliver(fresh.db, onIssue(1));
    let first = true;
    start({
      decide: async (trx) => {
        if (first) {
          first = false;
          await trx.raw('select 1/0');
        }
        return { outcome: 'handled', reason: 'the second time' };
      },
    });
    await until(() => ended(guid));
    expect(await row(guid)).toMatchObject({ state: 'handled', attempts: 1, reason: 'the second time' });
  });

  test('that no retry mends park at once', async () => {
    const guid = await deliver(fresh.db, onIssue(1));
    start({ gather: () => Promise.reject(new FatalError('the key is no key')) });
    await until(() => ended(guid));
    expect(await row(guid)).toMatchObject({ state: 'parked', reason: 'FatalError: the key is no key' });
  });

  test('by a lost race are asked and decided again at once and cost no attempt', async () => {
    let asked = 0;
    let decided = 0;
    const guid = await deliver(fresh.db, onIssue(1));
    const inbox = start({
      gather: async () => ({ asked: ++asked }),
      decide: async (_trx, _event, gathered) => {
        if (++decided < 4) throw new StaleError('somebody was faster');
        return { outcome: 'handled', reason: `with answer ${String(gathered.asked)}` };
      },
    });
    await inbox.idle();
    expect(await row(guid)).toMatchObject({ state: 'handled', reason: 'with answer 4', attempts: 0 });
  });
});

describe('workers that go', () => {
  test('by kill -9 in the middle of a delivery lose nothing: another one takes over when the claim ends', async () => {
    await fresh.db.raw('create table marks (guid text)');
    const guid = await deliver(fresh.db, onIssue(1));
    const child = spawnWorker(fresh.url);
    await until(async () => (await row(guid)).claimed_until !== null);
    await until(async () => (await openTransactions()) > 0);
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
    start({
      decide: async (trx, event) => {
        await trx('marks').insert({ guid: event.guid });
        return { outcome: 'handled', reason: 'by the second' };
      },
    });
    await until(() => ended(guid));
    expect(await fresh.db('marks')).toEqual([{ guid }]);
    expect(await row(guid)).toMatchObject({ reason: 'by the second', attempts: 0 });
  });

  test('slower than their claim are overtaken, and only one decision counts', async () => {
    await fresh.db.raw('create table marks (worker text)');
    const guid = await deliver(fresh.db, onIssue(1));
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    let gathering = 0;
    const mark = (worker: string): Partial<Dispatcher> => ({
      gather: async () => {
        gathering += 1;
        if (worker === 'slow') await gate;
        return {};
      },
      decide: async (trx) => {
        await trx('marks').insert({ worker });
        return { outcome: 'handled', reason: worker };
      },
    });
    const slow = start(mark('slow'), { settings: { leaseMs: 100 } });
    await until(() => gathering === 1);
    start(mark('fast'));
    await until(() => ended(guid));
    open();
    await slow.stop();
    expect(await fresh.db('marks')).toEqual([{ worker: 'fast' }]);
  });

  test('in order finish what is in hand, take nothing new and leave the rest to others without a wait', async () => {
    const [first, second] = [await deliver(fresh.db, onIssue(1)), await deliver(fresh.db, onIssue(1))];
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    let gathering = 0;
    const leaving = start({
      gather: async () => {
        gathering += 1;
        await gate;
        return {};
      },
    });
    await until(() => gathering === 1);
    const stopped = leaving.stop();
    open();
    await stopped;
    expect(await row(first)).toMatchObject({ state: 'handled', attempts: 0 });
    expect(await row(second)).toMatchObject({ state: 'pending', claimed_until: null, attempts: 0 });
  });

  test('that can not finish in time give their claims back', async () => {
    const guid = await deliver(fresh.db, onIssue(1));
    const stuck = start(
      { gather: () => new Promise<never>(() => {}) },
      { settings: { drainMs: 20, gatherMs: 1_000 } },
    );
    await until(async () => (await row(guid)).claimed_until !== null);
    await stuck.stop();
    expect(await row(guid)).toMatchObject({ state: 'pending', claimed_until: null, attempts: 0 });
  });

  async function openTransactions(): Promise<number> {
    const { rows } = await fresh.db.raw(
      "select count(*) as open from pg_stat_activity where application_name = 'doomed' and state like 'idle in trans%'",
    );
    return rows[0].open;
  }

  /** Another process whose decision writes and then never ends. */
  function spawnWorker(url: string) {
    const from = (path: string) => JSON.stringify(new URL(`../../${path}`, import.meta.url).href);
    const program = `
      import { connectDatabase } from ${from('src/db/connect.ts')};
      import { startTestInbox, dispatcherOf } from ${from('test/harness/inbox.ts')};
      const url = ${JSON.stringify(url)};
      const db = connectDatabase(url, { poolSize: 4, applicationName: 'doomed' });
      startTestInbox({ url, db }, dispatcherOf({
        decide: async (trx, event) => {
          await trx('marks').insert({ guid: event.guid });
          await new Promise(() => {});
        },
      }), { settings: { leaseMs: 1000 } });
    `;
    return spawn(process.execPath, ['--input-type=module', '-e', program], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      stdio: ['ignore', 'inherit', 'inherit'],
    });
  }
});

test('a broken listening connection is made again, and deliveries are found meanwhile', async () => {
  const inbox = start();
  const listeners = () =>
    fresh.db('pg_stat_activity').where({
      application_name: 'specwright-listen-deliveries',
      datname: new URL(fresh.url).pathname.slice(1),
    });
  await until(async () => (await listeners()).length === 1);
  const [{ pid }] = await listeners();
  await fresh.db.raw('select pg_terminate_backend(?)', [pid]);
  const guid = await deliver(fresh.db, onIssue(1));
  await until(() => ended(guid));
  await until(async () => (await listeners()).some((listener) => listener.pid !== pid));
  expect(inbox.lines.join('')).toContain('inbox hears no notifications');
});
