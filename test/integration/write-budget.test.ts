import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { connectDatabase } from '../../src/db/connect.ts';
import type { Db } from '../../src/db/types.ts';
import { createWriteBudget, WRITE_LIMITS } from '../../src/db/write-budget.ts';
import { type FreshDatabase, freshDatabase } from '../harness/database.ts';

const { minute, hour } = WRITE_LIMITS;
const perSecond = minute.refill / 60;

let database: FreshDatabase;
/** One connection, so that its clock can be shifted by a session setting. */
let shifted: Db;

beforeAll(async () => {
  database = await freshDatabase();
  shifted = connectDatabase(database.url, { poolSize: 1, applicationName: 'test' });
});
afterAll(async () => {
  await shifted.destroy();
  await database.drop();
});
beforeEach(async () => {
  await database.db.raw('truncate write_budget');
  await setClock(0);
});

async function setClock(seconds: number): Promise<void> {
  await shifted.raw(`set specwright.clock_offset = '${seconds} seconds'`);
}

async function takeUntilRefused(kind: 'upkeep' | 'content' | 'reaction', installation = 1) {
  const budget = createWriteBudget(shifted);
  for (let taken = 0; ; taken++) {
    const answer = await budget.take(installation, kind);
    if (!answer.ok) return { taken, retryAt: answer.retryAt };
  }
}

describe('the write budget', () => {
  test('lets a rested installation write a burst and then names the time of the next write', async () => {
    const started = Date.now();
    const { taken, retryAt } = await takeUntilRefused('content');
    const refilled = ((Date.now() - started) / 1000) * perSecond;

    expect(taken).toBeGreaterThanOrEqual(minute.burst - minute.reserve);
    expect(taken).toBeLessThanOrEqual(minute.burst - minute.reserve + Math.ceil(refilled));
    expect(retryAt.getTime()).toBeGreaterThan(Date.now());
    expect(retryAt.getTime()).toBeLessThan(Date.now() + 1000 / perSecond + 500);
  });

  test('keeps a share for reactions when content has used up its own', async () => {
    await takeUntilRefused('content');
    const { taken } = await takeUntilRefused('reaction');

    expect(taken).toBeGreaterThanOrEqual(minute.reserve);
    expect(taken).toBeLessThanOrEqual(minute.reserve + 2);
    expect((await createWriteBudget(shifted).take(1, 'content')).ok).toBe(false);
  });

  test('keeps a share for comments and pull requests when edits of a status have used up theirs', async () => {
    await takeUntilRefused('upkeep');
    const { taken } = await takeUntilRefused('content');

    expect(taken).toBeGreaterThanOrEqual(minute.awaited - minute.reserve);
    expect(taken).toBeLessThanOrEqual(minute.awaited - minute.reserve + 2);
  });

  test('keeps every minute below GitHub’s limit, a rested one included', async () => {
    let inFirstMinute = 0;
    for (let second = 0; second < 60; second += 5) {
      await setClock(second);
      inFirstMinute += (await takeUntilRefused('reaction')).taken;
    }
    expect(inFirstMinute).toBeGreaterThan(minute.burst + minute.refill - 10);
    expect(inFirstMinute).toBeLessThanOrEqual(80);
  });

  test('keeps every hour below GitHub’s limit, where it is the hour’s refill that counts', async () => {
    const taken: number[] = [];
    for (let at = 0; at < 3600; at += 60) {
      await setClock(at);
      taken.push((await takeUntilRefused('reaction')).taken);
    }
    const inFirstHour = taken.reduce((sum, each) => sum + each, 0);
    expect(inFirstHour).toBeGreaterThan(450);
    expect(inFirstHour).toBeLessThanOrEqual(500);
    expect(taken.at(-1)).toBeLessThanOrEqual(Math.ceil(hour.refill / 60));
  });

  test('lets the caller write at the time it named', async () => {
    const { retryAt } = await takeUntilRefused('content');
    await setClock(Math.ceil((retryAt.getTime() - Date.now()) / 1000));

    expect(await createWriteBudget(shifted).take(1, 'content')).toEqual({ ok: true });
  });

  test('does not run backwards when a transaction that began earlier comes later', async () => {
    await setClock(600);
    await takeUntilRefused('reaction');
    await setClock(0);
    expect((await createWriteBudget(shifted).take(1, 'reaction')).ok).toBe(false);
    await setClock(600);
    expect((await takeUntilRefused('reaction')).taken).toBeLessThanOrEqual(1);
  });

  test('holds one installation’s writes against no other', async () => {
    await takeUntilRefused('content', 1);

    expect(await createWriteBudget(shifted).take(2, 'content')).toEqual({ ok: true });
  });

  test('gives out no more than the burst, whoever asks', async () => {
    const other = connectDatabase(database.url, { poolSize: 10, applicationName: 'test' });
    try {
      const budgets = [createWriteBudget(database.db), createWriteBudget(other)];
      const started = Date.now();
      const answers = await Promise.all(
        Array.from({ length: 120 }, (_, n) => budgets[n % 2]!.take(1, 'content')),
      );
      const refilled = Math.ceil(((Date.now() - started) / 1000) * perSecond);
      const taken = answers.filter((answer) => answer.ok).length;

      expect(taken).toBeGreaterThanOrEqual(minute.burst - minute.reserve);
      expect(taken).toBeLessThanOrEqual(minute.burst - minute.reserve + refilled);
    } finally {
      await other.destroy();
    }
  });
});
