import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { canaryOf, findCanaries } from '../harness/canaries.ts';
import { runCli } from '../harness/cli.ts';
import { newKey } from '../harness/credentials-desk.ts';
import { type FreshDatabase, freshDatabase } from '../harness/database.ts';
import { dumpDatabase } from '../harness/dump-database.ts';
import { until } from '../harness/until.ts';

const [k1, k2] = [newKey('k1'), newKey('k2')];
const keys = (...all: (typeof k1)[]) => ({
  CREDENTIAL_KEYS: all.map(({ id, base64 }) => `${id}:${base64}`).join(','),
});
const tail = () => randomBytes(24).toString('base64url');
const API_KEY = `sk-ant-api03-${tail()}`;
const TOKEN = `sk-ant-oat01-${tail()}`;
const GIVEN = `sk-proj-${tail()}`;

let folder: string;
let database: FreshDatabase;
/** All that the processes of this file have printed. */
let printed = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'specwright-credentials-'));
  database = await freshDatabase();
  const account = { account_type: 'Organization', account_id: 1 };
  await database.db('installations').insert([
    { id: 42, account_login: 'Acme', ...account },
    { id: 41, account_login: 'acme', ...account, deleted_at: new Date() },
  ]);
});
afterAll(async () => {
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

/** `specwright credentials <words>`, to its end. */
async function credentials(words: string, at: { input?: string; env?: Record<string, string> } = {}) {
  const env = { DATABASE_URL: database.url, ...keys(k1), ...at.env };
  const run = runCli(['credentials', ...words.split(' ')], { ...at, cwd: folder, env });
  const code = await run.ended;
  printed += run.stdout() + run.stderr();
  return { code, stdout: run.stdout(), stderr: run.stderr() };
}

test('a key is set from standard input, listed by its last four characters, and removed', async () => {
  const place = '--kind anthropic --installation acme';
  const set = await credentials(`set ${place} --base-url https://models.example.com/v1/`, {
    input: `${API_KEY}\n`,
  });
  expect(set).toMatchObject({ code: 0, stderr: '' });
  expect(set.stdout).toBe(
    `Set the credential "anthropic" of the installation 42: it ends in ${API_KEY.slice(-4)} and is sealed with "k1".\n`,
  );
  const env = { OPENAI_API_KEY: GIVEN };
  const [table, json] = await Promise.all([
    credentials('list', { env }),
    credentials('list --json', { env }),
  ]);
  expect(table.stdout).toMatch(
    /^installation +Acme \(42\) +anthropic +\S{4} +k1 +https:\/\/models\.example\.com +\d{4}-\S+ +cli:\S+$/m,
  );
  expect(JSON.parse(json.stdout)).toMatchObject({
    credentials: [
      { scope: 'installation', kind: 'anthropic', hint: API_KEY.slice(-4), key: 'k1' },
      { scope: 'system', kind: 'openai', hint: GIVEN.slice(-4), key: 'none: OPENAI_API_KEY' },
    ],
  });
  expect((await credentials(`remove ${place}`)).stdout).toContain('revoke it there');
  expect(await database.db('model_credentials')).toEqual([]);
  const audit = await database.db('audit').orderBy('id').select('action', 'reason');
  const reason = 'anthropic of the installation 42';
  expect(audit).toEqual([
    { action: 'credentials.set', reason },
    { action: 'credentials.remove', reason },
  ]);
});

test("a subscription's token is taken where that is allowed, and the terms are named", async () => {
  const env = { ALLOW_CLAUDE_SUBSCRIPTION: 'yes' };
  const [on, argument] = await Promise.all([
    credentials('set --kind claude-subscription --user 5', { input: TOKEN, env }),
    credentials(`set --kind anthropic --system ${API_KEY}`),
  ]);
  expect(on).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('https://code.claude.com/docs/en/legal-and-compliance'),
  });
  expect(argument).toMatchObject({ code: 64, stderr: expect.stringContaining('never given as an argument') });
});

test('rotation seals anew, says how many, and names a key that is missing', async () => {
  const lost = await credentials('rotate', { env: keys(k2) });
  expect(lost).toMatchObject({ code: 1, stdout: expect.stringContaining('Sealed 0 anew with "k2"') });
  expect(lost.stderr).toContain('it was sealed with the key "k1", which CREDENTIAL_KEYS of this process');
  const done = await credentials('rotate', { env: keys(k2, k1) });
  expect(done).toMatchObject({
    code: 0,
    stderr: '',
    stdout: expect.stringMatching(/^Sealed 1 anew with "k2"; 0/),
  });
});

/** Of util-linux, which sandboxes need as well: runs a program at a terminal of its own. */
const TERMINAL = 'script';

/** The same at a terminal, where `typed` is typed once the question is there. */
async function atTerminal(words: string, typed: string) {
  const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
  const command = `"${process.execPath}" "${main}" credentials ${words}`;
  const env = { ...process.env, DATABASE_URL: database.url, ...keys(k2) };
  const child = spawn(TERMINAL, ['-qefc', command, '/dev/null'], {
    cwd: folder,
    env,
    stdio: ['pipe', 'pipe', 2],
  });
  let shown = '';
  child.stdout!.on('data', (chunk: Buffer) => {
    shown += chunk.toString();
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  await until(() => shown.includes('it is not shown'), 10_000);
  child.stdin!.write(typed);
  const code = await ended;
  printed += shown;
  return { code, shown };
}

test('at a terminal the key is asked for and not shown, and can be corrected or broken off', async () => {
  const [set, stopped] = await Promise.all([
    atTerminal('set --kind anthropic --system', `${API_KEY}X\u007f\r`),
    atTerminal('set --kind openai --system', `${GIVEN}\u0003`),
  ]);
  expect(set).toMatchObject({ code: 0, shown: expect.stringContaining(`it ends in ${API_KEY.slice(-4)}`) });
  expect(stopped).toMatchObject({ code: 1, shown: expect.stringContaining('Broken off: nothing was set.') });
  expect(await database.db('model_credentials').where({ scope: 'system' }).pluck('kind')).toEqual([
    'anthropic',
  ]);
});

test('none of it was ever printed, and no table holds it in clear', async () => {
  const canaries = [
    canaryOf('API key', API_KEY, 'sk-ant-api03-'.length),
    canaryOf('token', TOKEN, 'sk-ant-oat01-'.length),
    canaryOf('given key', GIVEN, 'sk-proj-'.length),
    ...[k1, k2].map(({ id, base64 }) => canaryOf(id, base64)),
  ];
  const dump = await dumpDatabase(database.db);
  expect(dump.toString()).toContain('claude-subscription');
  expect(findCanaries(canaries, dump)).toEqual([]);
  expect(printed).toContain(API_KEY.slice(-4));
  expect(findCanaries(canaries, printed)).toEqual([]);
});
