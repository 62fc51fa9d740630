import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Action, OwnerArgument } from '../../src/cli/credentials/arguments.ts';
import type { Desk } from '../../src/cli/credentials/credentials.ts';
import { findOwner } from '../../src/cli/credentials/owner.ts';
import { remove } from '../../src/cli/credentials/remove.ts';
import { set } from '../../src/cli/credentials/set.ts';
import { newKey } from '../harness/credentials-desk.ts';
import { type FreshDatabase, freshDatabase } from '../harness/database.ts';

let fresh: FreshDatabase;

beforeAll(async () => {
  fresh = await freshDatabase();
  const account = { account_type: 'Organization', account_id: 1 };
  await fresh.db('installations').insert([
    { id: 42, account_login: 'Acme', ...account },
    { id: 41, account_login: 'acme', ...account, deleted_at: new Date() },
    { id: 50, account_login: 'twice', ...account },
    { id: 51, account_login: 'twice', ...account },
  ]);
  await fresh.db('projects').insert({ repository_id: 10, installation_id: 42, owner: 'acme', name: 'shop' });
  await fresh
    .db('specs')
    .insert([
      spec({ requester_id: 5, requester_login: 'Mona' }),
      spec({ requester_id: 6, requester_login: 'hubot', created_at: new Date(0) }),
      spec({ requester_id: 6, requester_login: 'renamed' }),
    ]);
});
afterAll(() => fresh.drop());

const spec = (row: object) => ({
  id: randomUUID(),
  repository_id: 10,
  installation_id: 42,
  issue_number: 5,
  title: 't',
  body: 'b',
  frozen_hash: 'h',
  settings: {},
  status: 'merged',
  ...row,
});

describe('an owner is found', () => {
  test.each<[string, OwnerArgument, object]>([
    ['by the login of an account, in any case', { scope: 'installation', text: 'acme' }, { id: 42 }],
    ['by the login of a person who asked for a spec', { scope: 'user', text: 'mona' }, { id: 5 }],
    ['by the newest login of a person', { scope: 'user', text: 'renamed' }, { id: 6 }],
    ['by an id, whether it is known or not', { scope: 'user', text: '583231' }, { id: 583231 }],
    ['for everybody', { scope: 'system' }, { id: null }],
  ])('%s', async (_how, argument, owner) => {
    expect(await findOwner(fresh.db, argument)).toEqual({ scope: argument.scope, ...owner });
  });

  test.each<[string, OwnerArgument, string]>([
    ['by a login that nobody has', { scope: 'user', text: 'nobody' }, 'shows as "id"'],
    ['by a login that its person gave up', { scope: 'user', text: 'hubot' }, 'is not known here'],
    ['by a login that two have', { scope: 'installation', text: 'twice' }, 'could be any of 50, 51'],
    ['by what is no login', { scope: 'user', text: 'sk-ant/api03' }, 'is neither a login nor'],
  ])('not %s', async (_how, argument, text) => {
    await expect(findOwner(fresh.db, argument)).rejects.toThrow(text);
  });
});

describe('nothing is set or removed', () => {
  const said: string[] = [];
  const desk = (): Desk => ({
    db: fresh.db,
    config: { keys: [newKey('k1')], allowSubscription: false, environment: [] },
    actor: 'test',
    say: (text) => said.push(text),
  });
  const asked = (kind: string, owner: OwnerArgument, baseUrl?: string) =>
    ({ do: 'set', kind, owner, baseUrl }) as Extract<Action, { do: 'set' }>;

  test.each([
    [
      "of a subscription, where the deployment doesn't allow it",
      asked('claude-subscription', { scope: 'user', text: '5' }),
      'set ALLOW_CLAUDE_SUBSCRIPTION=yes',
    ],
    [
      'of a subscription for more than one person',
      asked('claude-subscription', { scope: 'system' }),
      "one person's",
    ],
    [
      'with an address where the key would be sent in clear',
      asked('openai', { scope: 'system' }, 'http://models.example.com'),
      'use https',
    ],
  ])('%s', async (_what, action, text) => {
    await expect(set(desk(), action)).rejects.toThrow(text);
    expect(await fresh.db('model_credentials')).toEqual([]);
    expect(said).toEqual([]);
  });

  test('the terms of a subscription are named where it is refused, too', async () => {
    const action = asked('claude-subscription', { scope: 'user', text: '5' });
    await expect(set(desk(), action)).rejects.toThrow('https://code.claude.com/docs/en/legal-and-compliance');
  });

  test('where there is none', async () => {
    const action = { do: 'remove', kind: 'openai', owner: { scope: 'system' } } as const;
    await expect(remove(desk(), action)).rejects.toThrow('"specwright credentials list" shows what there is');
  });
});
