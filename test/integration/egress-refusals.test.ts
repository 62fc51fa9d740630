import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { listRefusals } from '../../src/db/egress-refusals.ts';
import { createLogger } from '../../src/log.ts';
import { mayReach, noteRefused } from '../../src/services/egress/judge.ts';
import { type FreshDatabase, freshDatabase } from '../harness/database.ts';
import { insertSandboxRows } from '../harness/sandbox-rows.ts';

const MOST_HOSTS = 200;

let fresh: FreshDatabase;
let specId: string;
let deps: Parameters<typeof noteRefused>[0];

beforeAll(async () => {
  fresh = await freshDatabase();
  ({ specId } = await insertSandboxRows(fresh.db));
  const settings = JSON.stringify({ settings: { egress: { registries: ['npm'], hosts: [] } } });
  await fresh.db('specs').where({ id: specId }).update({ settings });
  deps = { db: fresh.db, log: createLogger({ level: 'fatal', secrets: [] }) };
});
afterAll(() => fresh.drop());

const audits = () => fresh.db('audit').where({ action: 'egress' });

test('what a spec may reach is what its own frozen settings say', async () => {
  expect(await mayReach(deps, { specId, host: 'packages.npmjs.org', port: 443 })).toBe(true);
  expect(await mayReach(deps, { specId, host: 'pypi.org', port: 443 })).toBe(false);
  const other = await insertSandboxRows(fresh.db);
  expect(await mayReach(deps, { specId: other.specId, host: 'packages.npmjs.org', port: 443 })).toBe(false);
});

test('a refused host is counted each time and noted once', async () => {
  const asked = { specId, host: 'x.example', port: 443 };
  await Promise.all([1, 2, 3].map(() => noteRefused(deps, asked, 'not_allowed')));
  await noteRefused(deps, { ...asked, host: 'y.example', port: 80 }, 'private_address');
  expect(await listRefusals(fresh.db, specId, 10)).toEqual([
    { host: 'x.example', port: 443, why: 'not_allowed', times: 3 },
    { host: 'y.example', port: 80, why: 'private_address', times: 1 },
  ]);
  expect(await audits()).toMatchObject([
    { spec_id: specId, decision: 'refused', reason: 'x.example:443 (not_allowed)' },
    { spec_id: specId, decision: 'refused', reason: 'y.example:80 (private_address)' },
  ]);
});

test('a program that tries names at random fills no database, and known hosts go on being counted', async () => {
  for (let at = 0; at < MOST_HOSTS + 20; at += 1) {
    await noteRefused(deps, { specId, host: `h${at}.example`, port: 443 }, 'not_allowed');
  }
  await noteRefused(deps, { specId, host: 'x.example', port: 443 }, 'not_allowed');
  const kept = await listRefusals(fresh.db, specId, 1000);
  expect(kept).toHaveLength(MOST_HOSTS);
  expect(kept[0]).toMatchObject({ host: 'x.example', times: 4 });
  expect(await audits()).toHaveLength(MOST_HOSTS);
});
