import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { RunEvent } from '../../src/runner/protocol.ts';
import { ingestEvents } from '../../src/services/events/ingest.ts';
import { type FreshDatabase, freshDatabase } from '../harness/database.ts';
import { insertSandboxRows } from '../harness/sandbox-rows.ts';

let database: FreshDatabase;
let ids: { sandboxId: string; specId: string };

beforeAll(async () => {
  database = await freshDatabase();
});
beforeEach(async () => {
  ids = await insertSandboxRows(database.db);
});
afterAll(() => database.drop());

function event(seq: number, fields: Partial<RunEvent> = {}): RunEvent {
  return {
    seq,
    at: '2026-11-22T10:00:00.000Z',
    type: 'agent.text',
    stepId: null,
    data: { n: seq },
    ...fields,
  };
}

function ingest(...events: RunEvent[]): ReturnType<typeof ingestEvents> {
  return ingestEvents(database.db, ids, { events });
}

function stored(): Promise<{ seq: number; data: object }[]> {
  return database.db('run_events').where({ sandbox_id: ids.sandboxId }).orderBy('seq').select('seq', 'data');
}

test('events are stored in order with the step they belong to', async () => {
  const stepId = randomUUID();
  expect(await ingest(event(2), event(1, { stepId, type: 'command.started' }))).toEqual({
    acked: 2,
    messages: [],
  });
  const rows = await database.db('run_events').where({ sandbox_id: ids.sandboxId }).orderBy('seq');
  expect(rows).toMatchObject([
    { seq: 1, spec_id: ids.specId, run_id: stepId, type: 'command.started', data: { n: 1 } },
    { seq: 2, run_id: null, at: new Date('2026-11-22T10:00:00.000Z') },
  ]);
});

test('the same batch again changes nothing and is acknowledged again', async () => {
  await ingest(event(1), event(2));
  expect(await ingest(event(1, { data: { forged: true } }), event(2), event(3))).toMatchObject({ acked: 3 });
  expect((await stored()).map(({ data }) => data)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
});

test('the same batch many times at once is stored once', async () => {
  const answers = await Promise.all(Array.from({ length: 8 }, () => ingest(event(1), event(2))));
  expect(answers.map(({ acked }) => acked)).toEqual(Array.from({ length: 8 }, () => 2));
  expect(await stored()).toHaveLength(2);
});

test('what lies behind a gap is not acknowledged until the gap is filled', async () => {
  expect(await ingest(event(1), event(3))).toMatchObject({ acked: 1 });
  expect(await ingest(event(2), event(3))).toMatchObject({ acked: 3 });
  expect((await stored()).map(({ seq }) => seq)).toEqual([1, 2, 3]);
});

test('every batch, an empty one too, is a sign of life', async () => {
  await database.db('sandboxes').where({ id: ids.sandboxId }).update({ heartbeat_at: '2020-01-01' });
  expect(await ingest()).toEqual({ acked: 0, messages: [] });
  const row: { heartbeat_at: Date } = await database.db('sandboxes').where({ id: ids.sandboxId }).first();
  expect(Date.now() - row.heartbeat_at.getTime()).toBeLessThan(60_000);
});

test('a message is repeated until its receipt arrives, and a receipt touches no other spec', async () => {
  const [mine, theirs] = [randomUUID(), randomUUID()];
  const other = await insertSandboxRows(database.db);
  await database.db('messages').insert([
    { id: mine, spec_id: ids.specId, kind: 'message', text: 'Use tabs.' },
    { id: theirs, spec_id: other.specId, kind: 'interrupt', text: '' },
  ]);
  const waiting = [{ id: mine, kind: 'message', text: 'Use tabs.' }];
  expect(await ingest(event(1))).toEqual({ acked: 1, messages: waiting });
  expect(await ingest(event(2))).toEqual({ acked: 2, messages: waiting });
  const receipts = [mine, theirs, 'no uuid'].map((id, at) =>
    event(3 + at, { type: 'message.received', data: { id } }),
  );
  expect(await ingest(...receipts)).toEqual({ acked: 5, messages: [] });
  expect(await database.db('messages').whereNull('delivered_at').pluck('id')).toEqual([theirs]);
});

test('a sandbox that nobody knows stores nothing', async () => {
  const nobody = { sandboxId: randomUUID(), specId: ids.specId };
  await expect(ingestEvents(database.db, nobody, { events: [event(1)] })).rejects.toThrow('not known');
});
