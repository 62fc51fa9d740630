import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { systemClock } from '../../src/clock.ts';
import { releaseEffects, takeEffect } from '../../src/db/effects.ts';
import type { Session } from '../../src/db/session.ts';
import { CLOSING_CHANNEL, deleteWorker, isOwnerGone, listWorkers } from '../../src/db/workers.ts';
import { createLogger } from '../../src/log.ts';
import type { Deps } from '../../src/services/deps.ts';
import { openOwnerSession } from '../../src/services/sandboxes/owner-session.ts';
import { type FreshDatabase, freshDatabase } from '../harness/database.ts';
import { until } from '../harness/until.ts';

let fresh: FreshDatabase;
let session: Session;
const workerId = randomUUID();

beforeAll(async () => {
  fresh = await freshDatabase();
  const log = createLogger({ level: 'fatal', secrets: [] });
  const deps = { db: fresh.db, clock: systemClock, log, workerId } as unknown as Deps;
  session = await openOwnerSession(fresh.url, deps, { channel: CLOSING_CHANNEL, onClosing: async () => {} });
});
afterAll(async () => {
  await session.close();
  await fresh.drop();
});

test('a worker is not taken for dead while its session lives', async () => {
  expect(await listWorkers(fresh.db)).toEqual([workerId]);
  expect(await fresh.db.transaction((trx) => isOwnerGone(trx, workerId))).toBe(false);
});

test('a worker that was written off while its session was broken enters itself again', async () => {
  const stop = `select pg_terminate_backend(pid) from pg_stat_activity
    where application_name like 'specwright-session%' and datname = current_database()`;
  await fresh.db.raw(stop);
  await until(() => fresh.db.transaction((trx) => isOwnerGone(trx, workerId)), 5000);
  await deleteWorker(fresh.db, workerId);
  await until(async () => (await listWorkers(fresh.db)).includes(workerId), 5000);
  expect(await fresh.db.transaction((trx) => isOwnerGone(trx, workerId))).toBe(false);
});

test('the end of a worker ends its own leases and nobody else’s, and the attempt stays recorded', async () => {
  const [dead, alive] = [randomUUID(), randomUUID()];
  for (const key of ['of the dead', 'of the living']) {
    await fresh.db('effects').insert({ effect_key: key, repository_id: 1, kind: 'acknowledge', payload: {} });
  }
  await takeEffect(fresh.db, 'of the dead', { owner: dead, seconds: 30 });
  await takeEffect(fresh.db, 'of the living', { owner: alive, seconds: 30 });
  await fresh.db.transaction((trx) => releaseEffects(trx, dead));
  const lease = { owner: alive, seconds: 30 };
  expect(await takeEffect(fresh.db, 'of the living', lease)).toBeNull();
  const again = await takeEffect(fresh.db, 'of the dead', lease);
  expect(again?.attempted_at).toBeInstanceOf(Date);
});
