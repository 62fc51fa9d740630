import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Knex } from 'knex';
import { accountEvents } from '../harness/account-events.ts';
import { endState, type Sent } from '../harness/arrange.ts';
import { recordClaim, sized } from '../harness/claims.ts';
import { type FreshDatabase, freshDatabase } from '../harness/database.ts';
import { type Line, openLine } from '../harness/line.ts';
import { seeded } from '../harness/random.ts';
import { until } from '../harness/until.ts';
import { signedPost } from '../harness/webhook-examples.ts';

const UNIQUE = sized(150, 5000);
const SENDERS = 16;

let line: Line;
let alone: FreshDatabase;

beforeAll(async () => {
  [line, alone] = await Promise.all([openLine({ env: { LOG_LEVEL: 'info' } }), freshDatabase()]);
});
afterAll(async () => {
  await line.close();
  await alone.drop();
});

interface Delivery extends Sent {
  readonly guid: string;
}

/** Posts everything to the processes in turn, `senders` at a time, and counts the answers. */
async function post(
  urls: readonly string[],
  deliveries: readonly Delivery[],
  senders: number,
): Promise<Record<number, number>> {
  const counts: Record<number, number> = {};
  const waiting = deliveries.entries();
  const send = async () => {
    for (const [index, { guid, event, payload }] of waiting) {
      const url = `${urls[index % urls.length]}/api/github/webhooks`;
      const status = await signedPost(url, line.webhookSecret, {
        guid,
        event,
        body: JSON.stringify(payload),
      });
      counts[status] = (counts[status] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: senders }, send));
  return counts;
}

/** Two web and two worker processes, in the ordinary suite one of each in this one; answers where webhooks go. */
async function startAll(): Promise<string[]> {
  const roles = sized(['web', 'worker'], ['web', 'web', 'worker', 'worker']);
  const start = sized<(ROLE: string) => Promise<{ url: string }>>(
    (ROLE: string) => line.startHere({ ROLE }),
    (ROLE: string) => line.startChild({ ROLE }),
  );
  const urls = await Promise.all(roles.map(async (role) => ({ role, url: (await start(role)).url })));
  return urls.filter(({ role }) => role === 'web').map(({ url }) => url);
}

/** Counts how often each delivery came to its end, whoever brought it there. */
async function countEnds(db: Knex): Promise<void> {
  await db.raw(`
    create table ends (guid text);
    create function note_end() returns trigger language plpgsql as $$ begin
      insert into ends values (new.guid); return new;
    end $$;
    create trigger note_end after update on deliveries for each row
      when (old.state = 'pending' and new.state <> 'pending') execute function note_end();
  `);
}

const done = (db: Knex) =>
  until(async () => !(await db('deliveries').where({ state: 'pending' }).first()), 900_000);

const hashOf = (state: unknown) => createHash('sha256').update(JSON.stringify(state)).digest('hex');

test(
  'doubled and shuffled deliveries over two web and two worker processes end like one process in order',
  () =>
    seeded(async (random) => {
      const told = accountEvents(random, UNIQUE);
      const { db } = line.database;
      await Promise.all([told.seed(db), told.seed(alone.db), countEnds(db)]);
      const urls = await startAll();
      const single = await line.startHere({ DATABASE_URL: alone.url });
      const deliveries = told.events.map((event) => ({ ...event, guid: randomUUID() }));

      const began = performance.now();
      const counts = await post(urls, random.shuffle([...deliveries, ...deliveries]), SENDERS);
      expect(counts).toEqual({ 202: UNIQUE, 200: UNIQUE });
      await done(db);
      const seconds = (performance.now() - began) / 1000;
      expect(await post([single.url], deliveries, 1)).toEqual({ 202: UNIQUE });
      await done(alone.db);

      const rows = await db('deliveries').select('guid', 'state', 'reason');
      expect(rows).toHaveLength(UNIQUE);
      expect(rows.filter(({ state, reason }) => !['handled', 'ignored'].includes(state) || !reason)).toEqual(
        [],
      );
      const ends = await db('ends').pluck('guid');
      expect(ends).toHaveLength(UNIQUE);
      expect(new Set(ends).size).toBe(UNIQUE);
      const [shuffled, ordered] = await Promise.all([stateOf(db), stateOf(alone.db)]);
      expect(shuffled).toEqual(ordered);
      recordClaim({
        claim:
          'deliveries, each twice and shuffled, over 2 web and 2 worker processes: stored once, handled once, end as in order',
        figure: `${2 * UNIQUE} sent, ${rows.length} stored, ${ends.length} ended, ${seconds.toFixed(1)} s, state ${hashOf(shuffled).slice(0, 12)}`,
        seed: random.seed,
      });
    }),
  1_800_000,
);

/** Installations, projects and specs; their events and effects tell the way, which may differ. */
async function stateOf(db: Knex) {
  const { installations, projects, specs } = await endState(db);
  return { installations, projects, specs };
}
