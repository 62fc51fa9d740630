import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Dispatcher } from '../../src/services/inbox/dispatch.ts';
import type { Inbox } from '../../src/services/inbox/inbox.ts';
import { type FreshDatabase, freshDatabase } from '../harness/database.ts';
import { deliver, dispatcherOf, onIssue, startTestInbox } from '../harness/inbox.ts';
import { until } from '../harness/until.ts';

let fresh: FreshDatabase;
let inbox: Inbox | undefined;

beforeEach(async () => {
  fresh = await freshDatabase();
});
afterEach(async () => {
  await inbox?.stop();
  inbox = undefined;
  await fresh.drop();
});

function start(given: Partial<Dispatcher>): Inbox {
  inbox = startTestInbox(fresh, dispatcherOf(given));
  return inbox;
}
const row = async (guid: string) => await fresh.db('deliveries').where({ guid }).first();

describe('a backlog of events that ask nothing', () => {
  const asks = () => false;
  const gather = () => Promise.reject(new Error('nothing is to be asked'));

  test('is decided several at a time, in the order of each lane', async () => {
    const order: [number, number][] = [];
    for (let i = 0; i < 120; i += 1) await deliver(fresh.db, onIssue((i % 30) + 1, { place: i }));
    const started = start({
      asks,
      gather,
      decide: async (_trx, { payload }) => {
        order.push([(payload.issue as { number: number }).number, payload.place as number]);
        return { outcome: 'handled', reason: 'seen' };
      },
    });
    await started.idle();
    expect(order).toHaveLength(120);
    for (let issue = 1; issue <= 30; issue += 1) {
      const places = order.filter(([number]) => number === issue).map(([, place]) => place);
      expect(places).toEqual([issue - 1, issue + 29, issue + 59, issue + 89]);
    }
    const rows = await fresh
      .db('deliveries')
      .select('state', 'gathered', fresh.db.raw('xmin::text as commit'));
    expect(rows.every(({ state, gathered }) => state === 'handled' && gathered.answers)).toBe(true);
    expect(new Set(rows.map(({ commit }) => commit)).size).toBeLessThan(90);
  });

  test('loses nothing to one that fails: it alone is put off, and what the others did counts once', async () => {
    await fresh.db.raw('create table marks (guid text)');
    const guids: string[] = [];
    for (let i = 0; i < 40; i += 1) guids.push(await deliver(fresh.db, onIssue(i + 1, { bad: i === 5 })));
    start({
      asks,
      gather,
      decide: async (trx, { guid, payload }) => {
        await trx('marks').insert({ guid });
        if (payload.bad) throw new TypeError('not this one');
        return { outcome: 'handled', reason: 'seen' };
      },
    });
    const bad = guids[5]!;
    await until(async () => (await fresh.db('deliveries').where({ state: 'handled' })).length === 39);
    await until(async () => (await row(bad)).attempts > 0);
    expect(await row(bad)).toMatchObject({ state: 'pending', reason: 'TypeError' });
    const marks = await fresh.db('marks');
    expect(marks).toHaveLength(39);
    expect(new Set(marks.map(({ guid }) => guid))).toEqual(new Set(guids.filter((guid) => guid !== bad)));
  });
});
