import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createGitTokenStore, type GitTokenStore } from '../../src/db/git-tokens.ts';
import { type FreshDatabase, freshDatabase } from '../harness/database.ts';

const HOUR_MS = 3_600_000;
const INSTALLATION = 41;

let fresh: FreshDatabase;
let store: GitTokenStore;

beforeAll(async () => {
  fresh = await freshDatabase();
  store = createGitTokenStore(fresh.db);
  const account = { account_id: 1, account_login: 'acme', account_type: 'Organization' };
  await fresh.db('installations').insert({ id: INSTALLATION, ...account });
});
afterAll(() => fresh.drop());

const left = async () => (await store.listLeft(10)).map(({ id }) => id);

async function keep(expiresInMs: number): Promise<string> {
  const id = randomUUID();
  const expires_at = new Date(Date.now() + expiresInMs);
  const row = { id, sandbox_id: randomUUID(), installation_id: INSTALLATION, sealed: Buffer.from('x') };
  await store.keep({ ...row, expires_at });
  return id;
}

test('a token whose sandbox has no row is left over until it is forgotten', async () => {
  const id = await keep(HOUR_MS);
  expect(await left()).toEqual([id]);
  await store.forget(id);
  expect(await left()).toEqual([]);
});

test('a token that has ended by itself is dropped', async () => {
  await keep(-1000);
  expect(await left()).toEqual([]);
  expect(await fresh.db('git_tokens')).toEqual([]);
});

test('a token of a suspended installation waits, since GitHub would refuse to revoke it', async () => {
  const id = await keep(HOUR_MS);
  await fresh.db('installations').update({ suspended_at: new Date() });
  expect(await left()).toEqual([]);
  await fresh.db('installations').update({ suspended_at: null });
  expect(await left()).toEqual([id]);
});
