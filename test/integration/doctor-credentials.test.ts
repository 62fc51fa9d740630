import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { checkCredentials } from '../../src/cli/doctor/credentials.ts';
import type { Config, CredentialsConfig } from '../../src/config.ts';
import { type CredentialsDesk, newKey, openCredentialsDesk } from '../harness/credentials-desk.ts';
import { freshDatabase } from '../harness/database.ts';

const [k1, k2] = [newKey('k1'), newKey('k2')];
const given = { kind: 'openai', variable: 'OPENAI_API_KEY', apiKey: 'x', baseUrl: null } as const;
const secret = { kind: 'openai', key: 'sk-proj-0123456789' } as const;

let desk: CredentialsDesk;

beforeAll(async () => {
  desk = await openCredentialsDesk();
});
beforeEach(() => desk.clear());
afterAll(() => desk.database.drop());

const look = (credentials: Partial<CredentialsConfig>, more: Partial<Config> = {}) =>
  checkCredentials({
    agent: null,
    databaseUrl: desk.database.url,
    credentials: { keys: [], allowSubscription: false, environment: [], ...credentials },
    ...more,
  } as Config);

test('nothing is looked for where a script plays the agent', async () => {
  expect(await look({}, { agent: { driver: 'scripted', script: 'x' } })).toEqual([]);
});

test('without any credential specs would end, and the command that adds one is shown', async () => {
  const fix = expect.stringContaining('specwright credentials set');
  expect(await look({})).toMatchObject([{ verdict: 'attention', fix }]);
});

test('what is stored and what the environment gives is counted', async () => {
  await desk.set([k1], { scope: 'system', id: null }, { secret });
  const says = 'There are 1 in the database and 1 in the environment.';
  expect(await look({ keys: [k1], environment: [given] })).toMatchObject([{ verdict: 'ok', says }]);
});

test('a key that is missing is named, and one that can be retired', async () => {
  await desk.set([k1], { scope: 'system', id: null }, { secret });
  await desk.set([k2], { scope: 'user', id: 5 }, { secret });
  expect(await look({ keys: [k2] })).toMatchObject([
    { verdict: 'ok' },
    { verdict: 'wrong', says: expect.stringContaining('does not have "k1"') },
  ]);
  expect(await look({ keys: [k2, k1] })).toMatchObject([
    { verdict: 'ok' },
    {
      verdict: 'attention',
      says: 'Some are still sealed with "k1".',
      fix: expect.stringContaining('rotate'),
    },
  ]);
});

test('a database of an older version, one that is silent and the embedded one are no trouble', async () => {
  const empty = await freshDatabase({ template: 'template1' });
  try {
    expect(await look({ environment: [given] }, { databaseUrl: empty.url })).toMatchObject([
      { verdict: 'ok' },
    ]);
  } finally {
    await empty.drop();
  }
  const silent = 'postgres://nobody:wrong@127.0.0.1:9/none';
  expect(await look({}, { databaseUrl: silent })).toMatchObject([{ verdict: 'unknown' }]);
  expect(await look({}, { databaseUrl: null })).toMatchObject([{ verdict: 'unknown' }]);
  expect(await look({ environment: [given] }, { databaseUrl: null })).toMatchObject([{ verdict: 'ok' }]);
});
