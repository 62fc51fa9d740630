import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Knex } from 'knex';
import { migrationSource, migrations } from '../../db/migrations/index.ts';
import { migrate } from '../../src/db/migrate.ts';
import { type FreshDatabase, freshDatabase } from '../harness/database.ts';

const SPEC = randomUUID();
const SANDBOX = randomUUID();

/** Rows for the tables that each migration creates, put in before the next one runs. */
const samples: Record<string, (db: Knex) => Promise<void>> = {
  '0001_clock': async () => {},
  async '0002_deliveries'(db) {
    await db('deliveries').insert({ guid: 'g1', event: 'issues', bytes: Buffer.from('{}') });
  },
  async '0003_accounts'(db) {
    await db('installations').insert({
      id: 1,
      account_id: 2,
      account_login: 'acme',
      account_type: 'Organization',
    });
    await db('projects').insert({ repository_id: 10, installation_id: 1, owner: 'acme', name: 'shop' });
    await db('write_budget').insert({ installation_id: 1, minute_tokens: 1.5, hour_tokens: 2 });
  },
  async '0004_specs'(db) {
    await db('specs').insert(spec({ id: SPEC, branch_name: 'spec/12345678-a' }));
    await db('spec_events').insert(specEvent({}));
    await db('audit').insert({ actor: 'octocat', action: 'label', decision: 'allowed' });
  },
  async '0005_plan'(db) {
    await db('artifacts').insert(artifact({}));
    await db('approvals').insert({ spec_id: SPEC, hash: 'h', approver_id: 1, approver_login: 'octocat' });
    await db('tickets').insert({ spec_id: SPEC, id: 'T1', ordinal: 1, title: 't', description: 'd' });
    await db('tasks').insert([1, 2].map((ordinal) => task({ ordinal, id: `T1.${ordinal}` })));
    await db('task_dependencies').insert({ spec_id: SPEC, ordinal: 2, depends_on: 1 });
  },
  async '0006_sandboxes'(db) {
    await db('workers').insert({ id: randomUUID(), pid: 1 });
    await db('sandboxes').insert(sandbox({ id: SANDBOX, state: 'running', external_id: 'x1' }));
    await db('runs').insert(run({}));
    await db('run_events').insert(runEvent({}));
    await db('messages').insert({ id: randomUUID(), spec_id: SPEC, kind: 'message', text: 'hello' });
    await db('pushes').insert({
      id: randomUUID(),
      spec_id: SPEC,
      sandbox_id: SANDBOX,
      ref: 'r',
      old_sha: 'a',
      new_sha: 'b',
    });
  },
  async '0007_effects'(db) {
    await db('effects').insert(effect({}));
  },
  async '0008_lease_owners'(db) {
    await db('effects').update({ lease_owner: randomUUID() });
  },
  async '0009_reconcile'(db) {
    await db('specs').update({ requested_at: new Date() });
    await db('sweeps').insert({ name: 'deliveries', lease_owner: randomUUID() });
    const lost = { delivery_id: 1, event: 'issues', delivered_at: new Date(), acknowledged: false };
    await db('missed_deliveries').insert({ guid: 'lost', ...lost });
    await db('reconciled_installations').insert({ installation_id: 1, checked_at: new Date() });
    await db('reconciled_repositories').insert({ repository_id: 10, since: new Date() });
  },
  async '0010_lost_sandboxes'(db) {
    await db('sandboxes').update({ closed_at: new Date() });
  },
  async '0011_delivery_indexes'(db) {
    await db('deliveries').insert({ guid: 'g2', event: 'issues', bytes: Buffer.from('{}'), lane: 'misc' });
  },
  async '0012_github_limits'(db) {
    await db('github_limits').insert({ installation_id: 1, limited_until: new Date() });
    await db('effects').update({ unclear_at: new Date() });
    await db('specs').update({ status_unclear_at: new Date(), status_tries: 1, status_retry_at: new Date() });
  },
  async '0013_described'(db) {
    await db('projects').update({ described_at: new Date() });
    await db('installations').update({ described_at: new Date() });
  },
  async '0014_git_tokens'(db) {
    const token = { id: randomUUID(), sandbox_id: randomUUID(), installation_id: 1 };
    await db('git_tokens').insert({ ...token, sealed: Buffer.from('x'), expires_at: new Date() });
  },
  async '0015_model_calls'(db) {
    const charge = { scope: 'spec', owner: SPEC, period: 'all' };
    await db('model_spend').insert({ ...charge, reserved: 100, open: 1 });
    const call = { id: randomUUID(), spec_id: SPEC, sandbox_id: SANDBOX, api: 'anthropic', model: 'm' };
    await db('model_calls').insert({ ...call, state: 'open', charged: JSON.stringify([charge]) });
  },
  async '0016_model_credentials'(db) {
    const place = { scope: 'installation', owner_id: 1, kind: 'anthropic' };
    const sealed = { sealed: Buffer.from('x'), key_id: 'k1', hint: '1234' };
    await db('model_credentials').insert({ id: randomUUID(), ...place, ...sealed, created_by: 'mona' });
  },
  async '0017_gate'(db) {
    const author = { author_id: 3, author_login: 'hubot', author_permission: 'read' };
    await db('specs').update({ ...author, gate: JSON.stringify({ sha: 'a' }) });
  },
  async '0018_egress'(db) {
    const refusal = { host: 'x.example', port: 443, why: 'not_allowed' };
    await db('egress_refusals').insert({ spec_id: SPEC, ...refusal });
  },
};

const spec = (row: object) => ({
  repository_id: 10,
  installation_id: 1,
  issue_number: 5,
  title: 't',
  body: 'b',
  frozen_hash: 'h',
  requester_id: 1,
  requester_login: 'octocat',
  settings: {},
  ...row,
});
const specEvent = (row: object) => ({
  spec_id: SPEC,
  seq: 1,
  type: 'spec.phase_started',
  phase: 'explore',
  attempt: 1,
  payload: {},
  ...row,
});
const artifact = (row: object) => ({
  spec_id: SPEC,
  phase: 'explore',
  attempt: 1,
  schema_version: 1,
  content: {},
  hash: 'h',
  accepted: true,
  ...row,
});
const task = (row: object) => ({ spec_id: SPEC, ticket_id: 'T1', title: 't', content: {}, ...row });
const sandbox = (row: object) => ({
  id: randomUUID(),
  spec_id: SPEC,
  provider: 'local',
  repository: 'acme/shop',
  generation: 1,
  ...row,
});
const run = (row: object) => ({
  id: randomUUID(),
  spec_id: SPEC,
  sandbox_id: SANDBOX,
  step: 'explore',
  attempt: 1,
  request: {},
  ...row,
});
const runEvent = (row: object) => ({
  sandbox_id: SANDBOX,
  seq: 1,
  spec_id: SPEC,
  type: 'log',
  at: new Date(),
  data: {},
  ...row,
});
const effect = (row: object) => ({
  effect_key: 'e1',
  repository_id: 10,
  kind: 'comment',
  payload: {},
  ...row,
});

let fresh: FreshDatabase;
let db: Knex;

beforeAll(async () => {
  fresh = await freshDatabase({ template: 'template1' });
  db = fresh.db;
});
afterAll(async () => await fresh.drop());

test('each migration applies to tables that hold rows, and adds to them only', async () => {
  const names = Object.keys(migrations);
  let before: Record<string, number> = {};
  for (const [index, name] of names.entries()) {
    expect(await migrate(db, migrationSource(names.slice(0, index + 1)))).toEqual([name]);
    expect(await rowCounts()).toMatchObject(before);
    await samples[name]?.(db);
    before = await rowCounts();
  }
  expect(Object.keys(samples)).toEqual(names);
  const empty = Object.entries(before).filter(([, rows]) => rows === 0);
  expect(empty).toEqual([]);
});

describe('keys make duplicates impossible:', () => {
  const refused: [string, string, () => Promise<unknown>][] = [
    [
      'a delivery by its guid',
      'deliveries_pkey',
      () => db('deliveries').insert({ guid: 'g1', event: 'e', bytes: '' }),
    ],
    ['a live spec an issue', 'specs_one_live', () => db('specs').insert(spec({}))],
    [
      'a branch name a repository',
      'specs_repository_id_branch_name_key',
      () => db('specs').insert(spec({ issue_number: 6, branch_name: 'spec/12345678-a' })),
    ],
    [
      'a spec event by its number',
      'spec_events_pkey',
      () => db('spec_events').insert(specEvent({ attempt: 2 })),
    ],
    [
      'a spec event by type, phase and attempt',
      'spec_events_spec_id_type_phase_attempt_key',
      () => db('spec_events').insert(specEvent({ seq: 2 })),
    ],
    [
      'a spec event without a phase',
      'spec_events_spec_id_type_phase_attempt_key',
      () =>
        db('spec_events').insert([8, 9].map((seq) => specEvent({ seq, type: 'spec.merged', phase: null }))),
    ],
    [
      'an accepted artifact a phase',
      'artifacts_one_accepted',
      () => db('artifacts').insert(artifact({ attempt: 2 })),
    ],
    [
      'an approval by person and hash',
      'approvals_pkey',
      () => db('approvals').insert({ spec_id: SPEC, hash: 'h', approver_id: 1, approver_login: 'renamed' }),
    ],
    ['a task by its id', 'tasks_spec_id_id_key', () => db('tasks').insert(task({ ordinal: 3, id: 'T1.1' }))],
    ['a task by its place', 'tasks_pkey', () => db('tasks').insert(task({ ordinal: 1, id: 'T1.9' }))],
    ['a live sandbox a spec', 'sandboxes_one_live', () => db('sandboxes').insert(sandbox({ generation: 2 }))],
    [
      'a sandbox a generation',
      'sandboxes_spec_id_generation_key',
      () => db('sandboxes').insert(sandbox({ state: 'gone' })),
    ],
    [
      'an instance at its provider',
      'sandboxes_provider_external_id_key',
      () => db('sandboxes').insert(sandbox({ generation: 3, state: 'gone', external_id: 'x1' })),
    ],
    ['an open run a spec', 'runs_one_open', () => db('runs').insert(run({ attempt: 2 }))],
    [
      'an attempt at a step',
      'runs_spec_id_step_attempt_key',
      () => db('runs').insert(run({ state: 'done' })),
    ],
    [
      'a run event by its number',
      'run_events_pkey',
      () => db('run_events').insert(runEvent({ type: 'other' })),
    ],
    ['an effect by its key', 'effects_pkey', () => db('effects').insert(effect({ kind: 'label' }))],
  ];

  test.each(refused)('%s', async (_what, constraint, insert) => {
    await expect(insert()).rejects.toMatchObject({ code: '23505', constraint });
  });

  test('an issue whose spec has ended may get another one', async () => {
    await db('specs').insert([1, 2].map(() => spec({ issue_number: 7, status: 'failed' })));
    await db('specs').insert(spec({ issue_number: 7 }));
    expect(await db('specs').where({ issue_number: 7 })).toHaveLength(3);
  });
});

test('a shifted clock moves specwright_now and nothing else', async () => {
  await db.transaction(async (trx) => {
    await trx.raw("set local specwright.clock_offset = '90 seconds'");
    const [row] = (await trx.raw('select extract(epoch from specwright_now() - now())::int as shift')).rows;
    expect(row).toEqual({ shift: 90 });
  });
});

async function rowCounts(): Promise<Record<string, number>> {
  const tables: string[] = await db('pg_tables')
    .where({ schemaname: 'public' })
    .whereNot('tablename', 'like', 'knex_%')
    .pluck('tablename');
  const counts = tables.map(async (table) => {
    const [{ count }] = (await db(table).count()) as unknown as [{ count: number }];
    return [table, count] as const;
  });
  return Object.fromEntries(await Promise.all(counts));
}
