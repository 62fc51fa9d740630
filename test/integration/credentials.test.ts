import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { SpecRow } from '../../src/db/specs.ts';
import { createLogger } from '../../src/log.ts';
import { createKeyring } from '../../src/seal.ts';
import type { Agents } from '../../src/services/agents/choose.ts';
import type { Secret } from '../../src/services/credentials/credential.ts';
import { setCredential } from '../../src/services/credentials/edit.ts';
import { apiInPhase } from '../../src/services/credentials/phase-api.ts';
import type { Owner } from '../../src/services/credentials/place.ts';
import { type Credentials, createCredentials } from '../../src/services/credentials/resolve.ts';
import { type AgentName, defaultSettings } from '../../src/services/settings/schema.ts';
import { type CredentialsDesk, newKey, openCredentialsDesk } from '../harness/credentials-desk.ts';

const [k1, k2] = [newKey('k1'), newKey('k2')];
const mona: Owner = { scope: 'user', id: 5 };
const acme: Owner = { scope: 'installation', id: 42 };
const everybody: Owner = { scope: 'system', id: null };
const payer = { requesterId: 5, installationId: 42 };

const anthropic = (key: string): Secret => ({ kind: 'anthropic', key: `sk-ant-api03-${key}` });
const openai = (key: string): Secret => ({ kind: 'openai', key: `sk-proj-0123-${key}` });
const subscription: Secret = { kind: 'claude-subscription', key: 'sk-ant-oat01-0123456789' };
const bedrock: Secret = {
  kind: 'bedrock',
  region: 'eu-west-1',
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'aws-secret-0123456789/+=',
};

let desk: CredentialsDesk;

beforeAll(async () => {
  desk = await openCredentialsDesk();
});
beforeEach(() => desk.clear());
afterAll(() => desk.database.drop());

const put = (owner: Owner, secret: Secret, baseUrl?: string) =>
  desk.set([k1], owner, { secret, ...(baseUrl ? { baseUrl } : {}) });

/** The key that is found, or the text that says why none is. */
async function keyOf(credentials: Credentials, who = payer, api: 'anthropic' | 'openai' = 'anthropic') {
  const answer = await credentials.resolve({ ...who, api });
  if (answer.kind === 'missing') return answer.text;
  return 'key' in answer.credential ? answer.credential.key : answer.credential.kind;
}

describe('the first that exists pays:', () => {
  test("the person's, then the installation's, then the deployment's, then the environment's", async () => {
    const environment = [
      { kind: 'anthropic', variable: 'ANTHROPIC_API_KEY', apiKey: 'from-the-environment', baseUrl: null },
    ] as const;
    const process = desk.process([k1], { environment });
    for (const [owner, key] of [
      [mona, 'user'],
      [acme, 'installation'],
      [everybody, 'system'],
    ] as const)
      await put(owner, anthropic(key));
    const found: string[] = [];
    for (const scope of ['user', 'installation', 'system', null]) {
      found.push(await keyOf(process));
      if (scope) await desk.database.db('model_credentials').where({ scope }).delete();
    }
    expect(found).toEqual([
      'sk-ant-api03-user',
      'sk-ant-api03-installation',
      'sk-ant-api03-system',
      'from-the-environment',
    ]);
  });

  test("nobody else's", async () => {
    await put({ scope: 'user', id: 6 }, anthropic('of-another-person'));
    await put({ scope: 'installation', id: 43 }, anthropic('of-another-installation'));
    // The ids of people and installations are numbers of different kinds.
    await put({ scope: 'user', id: 42 }, anthropic('of-a-person'));
    await put({ scope: 'installation', id: 5 }, anthropic('of-an-installation'));
    const text = await keyOf(desk.process([k1]));
    expect(text).toContain('No model can be asked');
    expect(text).toContain('`specwright credentials set --kind anthropic --installation 42`');
  });

  test('only where it speaks the API that is asked for', async () => {
    await put(mona, openai('mine'));
    await put(everybody, anthropic('system'));
    expect(await keyOf(desk.process([k1]))).toBe('sk-ant-api03-system');
    expect(await keyOf(desk.process([k1]), payer, 'openai')).toBe('sk-proj-0123-mine');
  });

  test('with the address that goes with it', async () => {
    await put(acme, anthropic('installation'), 'https://models.example.com');
    const answer = await desk.process([k1]).resolve({ ...payer, api: 'anthropic' });
    expect(answer).toEqual({
      kind: 'found',
      credential: {
        kind: 'anthropic',
        api: 'anthropic',
        key: 'sk-ant-api03-installation',
        baseUrl: 'https://models.example.com',
        scope: 'installation',
      },
    });
  });
});

describe('the token of a Claude subscription', () => {
  const allowed = { allowSubscription: true };

  test("pays for its owner's specs alone, and only where the deployment allows it", async () => {
    await put(mona, subscription);
    expect(await keyOf(desk.process([k1], allowed))).toBe('sk-ant-oat01-0123456789');
    expect(await keyOf(desk.process([k1], allowed), { ...payer, requesterId: 6 })).toContain('No model');
    const off = await keyOf(desk.process([k1]));
    expect(off).toContain('ALLOW_CLAUDE_SUBSCRIPTION is off');
  });

  test("comes after the same person's API key, and before the installation's", async () => {
    await put(mona, subscription);
    await put(acme, anthropic('installation'));
    expect(await keyOf(desk.process([k1], allowed))).toBe('sk-ant-oat01-0123456789');
    await put(mona, anthropic('user'));
    expect(await keyOf(desk.process([k1], allowed))).toBe('sk-ant-api03-user');
  });

  test('can be stored for no installation and not for everybody', async () => {
    await expect(put(acme, subscription)).rejects.toMatchObject({ code: '23514' });
    await expect(put(everybody, subscription)).rejects.toMatchObject({ code: '23514' });
  });
});

describe('what an agent works with', () => {
  const apiFor = async (agent: AgentName) => {
    const answer = await desk.process([k1]).forAgent({ ...payer, agent });
    return answer.kind === 'found' ? answer.credential.api : answer.kind;
  };

  test('claude takes the nearest scope first, and in it Anthropic before Bedrock', async () => {
    await put(everybody, anthropic('system'));
    await put(acme, bedrock);
    expect(await apiFor('claude')).toBe('bedrock');
    await put(acme, anthropic('installation'));
    expect(await apiFor('claude')).toBe('anthropic');
  });

  test('codex speaks to OpenAI alone', async () => {
    await put(everybody, anthropic('system'));
    expect(await apiFor('codex')).toBe('missing');
    await put(everybody, openai('system'));
    expect(await apiFor('codex')).toBe('openai');
  });

  test('each phase is given the API of the credential that pays for its agent', async () => {
    const agents: Agents = { override: null, preferred: null, files: [], clis: {} };
    const settings = { ...defaultSettings, agents: { design: 'codex' } };
    const apiIn = (phase: string, more: Partial<Agents> = {}) => {
      const spec = {
        phase,
        settings: { settings },
        requester_id: 5,
        installation_id: 42,
      } as unknown as SpecRow;
      const deps = { agents: { ...agents, ...more }, credentials: desk.process([k1]) };
      return desk.database.db.transaction((trx) => apiInPhase(deps, trx, spec));
    };
    await put(acme, bedrock);
    await put(everybody, openai('system'));
    expect([await apiIn('tasks'), await apiIn('design')]).toEqual(['bedrock', 'openai']);
    const scripted = { override: { driver: 'scripted', scripted: true } };
    expect(await apiIn('tasks', scripted)).toBeNull();
    await desk.clear();
    expect(await apiIn('tasks')).toBeNull();
  });

  test('a command may do without', async () => {
    expect(await apiFor('command')).toBe('not_needed');
    await put(everybody, openai('system'));
    expect(await apiFor('command')).toBe('openai');
  });
});

describe('a row that can not be read', () => {
  const row = () => desk.database.db('model_credentials');

  test('names the key that is missing, and nobody else pays instead', async () => {
    await put(acme, anthropic('installation'));
    await desk.set([k2], everybody, { secret: anthropic('system') });
    const text = await keyOf(desk.process([k2]));
    expect(text).toContain('the installation 42 can\'t be read: it was sealed with the key "k1"');
    expect(text).toContain('specwright credentials set --kind anthropic --installation 42');
  });

  test.each([
    ['another person', { owner_id: 6 }, { ...payer, requesterId: 6 }],
    ['everybody', { scope: 'system', owner_id: null }, payer],
    ['another address', { base_url: 'https://evil.example' }, payer],
    ['another kind', { kind: 'openai' }, payer],
  ])('is refused once it was moved to %s', async (_where, change, who) => {
    await put(mona, anthropic('user'));
    await row().update(change);
    const api = 'kind' in change ? 'openai' : 'anthropic';
    expect(await keyOf(desk.process([k1]), who, api)).toContain(
      'it was changed or moved since it was sealed',
    );
  });

  test('is refused once its bytes were exchanged for those of another row', async () => {
    await put(mona, anthropic('user'));
    await put(acme, anthropic('installation'));
    const { sealed } = await row().where({ scope: 'installation' }).first();
    await row().where({ scope: 'user' }).update({ sealed });
    expect(await keyOf(desk.process([k1]))).toContain('changed or moved');
  });
});

describe('rotation', () => {
  test('seals everything with the first key, keeps the rest of the row, and does so once', async () => {
    await put(mona, anthropic('user'));
    await put(acme, bedrock, 'https://bedrock.example');
    await desk.set([k2, k1], everybody, { secret: openai('system') });
    const rest = () =>
      desk.database.db('model_credentials').select('id', 'hint', 'base_url', 'updated_at').orderBy('id');
    const before = await rest();
    expect(await desk.rotate([k2, k1])).toEqual({ resealed: 2, already: 1, unreadable: [] });
    expect(await desk.rotate([k2, k1])).toEqual({ resealed: 0, already: 3, unreadable: [] });
    expect(await rest()).toEqual(before);
    expect(await keyOf(desk.process([k2]))).toBe('sk-ant-api03-user');
    expect(await keyOf(desk.process([k2]), payer, 'openai')).toBe('sk-proj-0123-system');
  });

  test('and setting at the same time leave what opens', async () => {
    await put(mona, anthropic('before'));
    for (let again = 0; again < 5; again += 1) {
      const [done] = await Promise.all([desk.rotate([k2, k1]), put(mona, anthropic('after'))]);
      expect(done.unreadable).toEqual([]);
      expect(await keyOf(desk.process([k2, k1]))).toBe('sk-ant-api03-after');
    }
  });

  test('leaves what it can not open, says which key is missing, and does the rest', async () => {
    await desk.set([newKey('lost')], acme, { secret: anthropic('installation') });
    await put(mona, anthropic('user'));
    const done = await desk.rotate([k2, k1]);
    expect(done).toMatchObject({ resealed: 1, already: 0 });
    expect(done.unreadable).toEqual([expect.stringContaining('sealed with the key "lost"')]);
    expect(await keyOf(desk.process([k2]))).toBe('sk-ant-api03-user');
  });
});

test('without a key nothing is stored', async () => {
  const editing = { db: desk.database.db, keyring: createKeyring([], 'x'), actor: 'test' };
  const given = { owner: mona, secret: anthropic('user'), baseUrl: null };
  expect(await setCredential(editing, given)).toEqual({ kind: 'no_key' });
  expect(await desk.database.db('model_credentials')).toEqual([]);
});

test('two that set one place at once leave one credential', async () => {
  await Promise.all(['first', 'other'].map((key) => put(everybody, anthropic(key))));
  expect(await desk.database.db('model_credentials')).toHaveLength(1);
  expect(await keyOf(desk.process([k1]))).toMatch(/sk-ant-api03-(first|other)$/);
});

test('what was handed out is censored in every line of the log, once', async () => {
  await put(mona, { kind: 'openai', key: 'no shape that anybody knows'.replaceAll(' ', '-') });
  const lines: string[] = [];
  const log = createLogger({
    level: 'info',
    secrets: [],
    destination: { write: (line) => void lines.push(line) },
  });
  const credentials = createCredentials({
    db: desk.database.db,
    keyring: createKeyring([k1], 'model credentials'),
    config: { allowSubscription: false, environment: [] },
    registerSecret: log.registerSecret,
  });
  log.info({ said: 'no-shape-that-anybody-knows' }, 'before');
  expect(await keyOf(credentials, payer, 'openai')).toBe('no-shape-that-anybody-knows');
  log.info({ said: 'no-shape-that-anybody-knows' }, 'after');
  expect(lines[0]).toContain('no-shape');
  expect(lines[1]).not.toContain('no-shape');
  for (let again = 0; again < 3; again += 1) await keyOf(desk.process([k1]), payer, 'openai');
  const one = desk.process([k1]);
  desk.censored.length = 0;
  for (let again = 0; again < 3; again += 1) await keyOf(one, payer, 'openai');
  expect(desk.censored).toEqual(['no-shape-that-anybody-knows']);
});
