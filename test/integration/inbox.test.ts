import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { connectDatabase } from '../../src/db/connect.ts';
import { pruneDeliveries } from '../../src/db/deliveries.ts';
import { FatalError } from '../../src/errors.ts';
import type { Dispatcher, InboxEvent } from '../../src/services/inbox/dispatch.ts';
import { deliver, onIssue } from '../harness/inbox.ts';
import { inboxRig } from '../harness/inbox-rig.ts';
import { SECRET, startIngress } from '../harness/ingress.ts';
import { until } from '../harness/until.ts';
import { exampleDeliveries, signedPost } from '../harness/webhook-examples.ts';

const { fresh, start, row, ended } = inboxRig();

describe('a delivery', () => {
  test('is handed over with its answers, and ends as decided, with the reason', async () => {
    const seen: unknown[] = [];
    const guid = await deliver(fresh.db, onIssue(5));
    const inbox = start({
      gather: async () => ({ permission: 'write' }),
      decide: async (_trx, event, gathered) => {
        seen.push([event, gathered]);
        return { outcome: 'ignored', reason: 'not our label' };
      },
    });
    await inbox.idle();
    const event: InboxEvent = {
      guid,
      name: 'issues',
      action: 'labeled',
      installationId: 9,
      payload: onIssue(5),
    };
    expect(seen).toEqual([[event, { permission: 'write' }]]);
    expect(await row(guid)).toMatchObject({
      lane: 'repo:1#5',
      action: 'labeled',
      installation_id: 9,
      attempts: 0,
      claimed_until: null,
      state: 'ignored',
      reason: 'not our label',
      gathered: { answers: { permission: 'write' } },
      finished_at: expect.any(Date),
    });
  });

  test('that nothing handles is ignored without a question', async () => {
    let asked = 0;
    const guid = await deliver(fresh.db, onIssue(5), { event: 'star' });
    const inbox = start({
      handles: (name) => name !== 'star',
      gather: async () => {
        asked += 1;
        return {};
      },
    });
    await inbox.idle();
    expect(await row(guid)).toMatchObject({ state: 'ignored', reason: 'nothing here handles star.labeled' });
    expect(asked).toBe(0);
  });

  test.each(['not json', '[1]', 'null', '"text"', ''])(
    'whose body is %j is marked unreadable',
    async (body) => {
      const guid = await deliver(fresh.db, body);
      const behind = await deliver(fresh.db, onIssue(1));
      await start().idle();
      expect(await row(guid)).toMatchObject({ state: 'unreadable', reason: 'the body is no JSON object' });
      expect(await row(behind)).toMatchObject({ state: 'handled' });
    },
  );

  test('takes effect in the transaction that marks it: what a failing decision wrote is not there', async () => {
    await fresh.db.raw('create table marks (guid text)');
    const guid = await deliver(fresh.db, onIssue(5));
    start({
      decide: async (trx, event) => {
        await trx('marks').insert({ guid: event.guid });
        throw new FatalError('broken for good');
      },
    });
    await until(() => ended(guid));
    expect(await fresh.db('marks')).toEqual([]);
  });

  test('wakes the inbox at once', async () => {
    const ingress = await startIngress(fresh.url);
    start({}, { settings: { pollMs: 60_000 } });
    for (let round = 0; round < 3; round += 1) {
      const guid = randomUUID();
      const body = JSON.stringify(onIssue(round));
      expect(await signedPost(ingress.url, SECRET, { guid, event: 'issues', body })).toBe(202);
      await until(() => ended(guid), 2_000);
    }
    await ingress.close();
  });
});

describe('lanes', () => {
  test('keep their order while one is held up, and others go on', async () => {
    const order: string[] = [];
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    for (const [issue, name] of [
      [1, 'a'],
      [2, 'x'],
      [1, 'b'],
      [2, 'y'],
      [1, 'c'],
    ] as const)
      await deliver(fresh.db, onIssue(issue, { name }));
    const inbox = start({
      gather: async ({ payload }) => {
        if (payload.name === 'a') await gate;
        return {};
      },
      decide: async (_trx, { payload }) => {
        order.push(String(payload.name));
        return { outcome: 'handled', reason: 'seen' };
      },
    });
    await until(() => order.length === 2);
    expect(order).toEqual(['x', 'y']);
    open();
    await inbox.idle();
    expect(order).toEqual(['x', 'y', 'a', 'b', 'c']);
  });

  test('are shared by two inboxes: 500 deliveries in 40 lanes, each decided once and in order', async () => {
    await fresh.db.raw(
      'create table decided (n bigint generated always as identity, guid text, lane text, place int)',
    );
    for (let i = 0; i < 500; i += 1) await deliver(fresh.db, onIssue((i % 40) + 1, { place: i }));
    const other = connectDatabase(fresh.url, { poolSize: 10, applicationName: 'other' });
    const workers = new Set<string>();
    const given = (name: string): Partial<Dispatcher> => ({
      decide: async (trx, { guid, payload }) => {
        workers.add(name);
        const { number } = payload.issue as { number: number };
        await trx('decided').insert({ guid, lane: String(number), place: payload.place as number });
        return { outcome: 'handled', reason: name };
      },
    });
    const pair = [start(given('one')), start(given('two'), { db: other })];
    for (const inbox of pair) await inbox.idle();
    const decided = await fresh.db('decided').orderBy('n');
    expect(decided).toHaveLength(500);
    expect(new Set(decided.map(({ guid }) => guid)).size).toBe(500);
    for (const lane of new Set(decided.map((entry) => entry.lane))) {
      const places = decided.filter((entry) => entry.lane === lane).map(({ place }) => place);
      expect(places).toEqual([...places].sort((a, b) => a - b));
    }
    expect(workers).toEqual(new Set(['one', 'two']));
    for (const inbox of pair) await inbox.stop();
    await other.destroy();
  });
});

test('bodies of finished deliveries are emptied after 30 days, and their keys stay', async () => {
  const old = { received_at: fresh.db.raw("now() - interval '31 days'") };
  const [done, pending, young] = [
    await deliver(fresh.db, onIssue(1)),
    await deliver(fresh.db, onIssue(2)),
    await deliver(fresh.db, onIssue(3)),
  ] as [string, string, string];
  await fresh.db('deliveries').whereIn('guid', [done, young]).update({ state: 'handled' });
  await fresh.db('deliveries').whereIn('guid', [done, pending]).update(old);
  expect(await pruneDeliveries(fresh.db)).toBe(1);
  expect(await pruneDeliveries(fresh.db)).toBe(0);
  const sizes = await Promise.all(
    [done, pending, young].map(async (guid) => (await row(guid)).bytes.length > 0),
  );
  expect(sizes).toEqual([false, true, true]);
});

test('all 726 example webhooks are taken over HTTP, stored once each and end with a reason', async () => {
  const examples = exampleDeliveries();
  expect(examples).toHaveLength(726);
  const ingress = await startIngress(fresh.url);
  const inbox = start({ handles: (name) => ['issues', 'pull_request', 'installation'].includes(name) });
  const statuses = await Promise.all(
    examples.map(({ name, payload }) =>
      signedPost(ingress.url, SECRET, { guid: randomUUID(), event: name, body: JSON.stringify(payload) }),
    ),
  );
  expect(new Set(statuses)).toEqual(new Set([202]));
  await inbox.idle();
  const rows = await fresh.db('deliveries').select('state', 'reason');
  expect(rows).toHaveLength(726);
  expect(new Set(rows.map(({ state }) => state))).toEqual(new Set(['handled', 'ignored']));
  expect(rows.filter(({ reason }) => !reason)).toEqual([]);
  await ingress.close();
});
