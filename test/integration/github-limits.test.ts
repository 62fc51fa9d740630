import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { connectDatabase } from '../../src/db/connect.ts';
import { createGitHubLimits } from '../../src/db/github-limits.ts';
import type { Db } from '../../src/db/types.ts';
import { type FreshDatabase, freshDatabase } from '../harness/database.ts';

const MINUTE = 60_000;

let database: FreshDatabase;
/** One connection, so that its clock can be shifted by a session setting. */
let shifted: Db;
let limits: ReturnType<typeof createGitHubLimits>;

beforeAll(async () => {
  database = await freshDatabase();
  shifted = connectDatabase(database.url, { poolSize: 1, applicationName: 'test' });
  limits = createGitHubLimits(shifted);
});
afterAll(async () => {
  await shifted.destroy();
  await database.drop();
});
beforeEach(async () => {
  await database.db.raw('truncate github_limits');
  await setClock(0);
});

async function setClock(seconds: number): Promise<void> {
  await shifted.raw(`set specwright.clock_offset = '${seconds} seconds'`);
}

/** How long calls of installation 1 have to wait, to the nearest second, in milliseconds. */
const wait = async () => Math.round((await limits.waitMs([1])) / 1000) * 1000;

test('nobody waits before GitHub asked for it, and another installation never does', async () => {
  await limits.limited(2, 30_000);
  expect(await wait()).toBe(0);
  expect(await limits.waitMs([1, 2])).toBeGreaterThan(29_000);
});

test('a time that GitHub names is kept, and a later one counts', async () => {
  await limits.limited(1, 30_000);
  expect(await wait()).toBe(30_000);
  await limits.limited(1, 20_000);
  expect(await wait()).toBe(30_000);
  await limits.limited(1, 45_000);
  expect(await wait()).toBe(45_000);
  await setClock(46);
  expect(await wait()).toBe(0);
});

test('a refusal without a time asks for a minute, also while a shorter wait is in force', async () => {
  await limits.limited(1, 30_000);
  await limits.limited(1, undefined);
  expect(await wait()).toBe(MINUTE);
});

test('refused again after the wait, it waits twice as long, and calls under way at one time are one refusal', async () => {
  await limits.limited(1, undefined);
  await limits.limited(1, undefined);
  expect(await wait()).toBe(MINUTE);
  await setClock(61);
  await limits.limited(1, undefined);
  expect(await wait()).toBe(2 * MINUTE);
  await setClock(61 + 121 + 15 * 60);
  await limits.limited(1, undefined);
  expect(await wait()).toBe(MINUTE);
});
