import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Deps } from '../../src/services/deps.ts';
import { publishEffect } from '../../src/services/effects/publish.ts';
import { type FreshDatabase, freshDatabase } from '../harness/database.ts';

let fresh: FreshDatabase;
const asked: { key: string; delaySeconds?: number }[] = [];

beforeAll(async () => {
  fresh = await freshDatabase();
});
afterAll(() => fresh.drop());

/** Only what a publisher uses before it has an effect in its hands. */
const deps = () =>
  ({
    db: fresh.db,
    workerId: randomUUID(),
    jobs: { enqueue: async (_trx: unknown, _name: string, job: { key: string }) => void asked.push(job) },
  }) as unknown as Deps;

async function effect(key: string, more: object): Promise<void> {
  await fresh
    .db('effects')
    .insert({ effect_key: key, repository_id: 1, kind: 'refuse', payload: '{}', ...more });
}

test('an effect that somebody else has is looked at again when that has to be over', async () => {
  const leased = { lease_owner: randomUUID(), lease_until: new Date(Date.now() + 20_000) };
  await effect('leased', leased);
  await publishEffect(deps(), { key: 'leased' });
  expect(asked).toEqual([{ data: { key: 'leased' }, key: 'leased/lease', delaySeconds: 20 }]);
});

test('an effect that is done is left alone', async () => {
  asked.length = 0;
  await effect('done', { state: 'sent', lease_until: new Date(Date.now() + 20_000) });
  await publishEffect(deps(), { key: 'done' });
  expect(asked).toEqual([]);
});
