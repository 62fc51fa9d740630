import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newPrivateKey } from '../../src/emulator/accounts.ts';
import { runCli } from '../harness/cli.ts';
import { type FreshDatabase, freshDatabase } from '../harness/database.ts';
import { until } from '../harness/until.ts';

const SECRET = '0f2d4b6c8e1a3957bd0c2e4f6a8b1d3c';

let folder: string;
let database: FreshDatabase;
let busy: Server;
let good: Record<string, string>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'specwright-cli-'));
  database = await freshDatabase();
  busy = createServer();
  await new Promise<void>((resolve) => busy.listen(0, '127.0.0.1', resolve));
  good = {
    APP_ID: '12',
    PRIVATE_KEY: newPrivateKey(),
    WEBHOOK_SECRET: SECRET,
    PORT: '0',
    DATA_DIR: folder,
    DATABASE_URL: database.url,
  };
});
afterAll(async () => {
  busy.close();
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

/** Runs to the end. */
async function run(args: readonly string[], env: Record<string, string> = {}) {
  const cli = runCli(args, { cwd: folder, env });
  const code = await cli.ended;
  return { code, stdout: cli.stdout(), stderr: cli.stderr() };
}

describe('start without what it needs', () => {
  test('prints the steps to App credentials and exits with 78', async () => {
    const { code, stderr, stdout } = await run(['start']);
    expect(code).toBe(78);
    expect(stdout).toBe('');
    expect(stderr).toContain('has no GitHub App credentials yet');
    expect(stderr).toContain('https://github.com/settings/apps/new');
    expect(stderr).toContain('npm run demo');
  });

  test.each([
    ['unset', undefined, 'WEBHOOK_SECRET is not set, so anybody could send webhooks.'],
    ['Probot’s default', 'development', 'WEBHOOK_SECRET is a placeholder that anybody can guess.'],
    ['short', 'a1b2c3d4e5f6', 'WEBHOOK_SECRET is shorter than 32 bytes.'],
  ])('names a webhook secret that is %s, says what to set and exits with 78', async (_, secret, problem) => {
    const { WEBHOOK_SECRET: _secret, ...rest } = good;
    const { code, stderr } = await run(['start'], secret ? { ...rest, WEBHOOK_SECRET: secret } : rest);
    expect(code).toBe(78);
    expect(stderr).toContain(problem);
    expect(stderr).toContain('openssl rand -hex 32');
    if (secret && secret !== 'development') expect(stderr).not.toContain(secret);
  });

  test('names a role that there is not', async () => {
    const { code, stderr } = await run(['start', '--role', 'boss'], good);
    expect(code).toBe(78);
    expect(stderr).toContain('ROLE must be all or web or worker');
  });

  test.each([
    [
      'a port that is in use',
      () => ({ PORT: String((busy.address() as AddressInfo).port) }),
      /Port \d+ is in use/,
    ],
    ['a script that is none', () => ({ AGENT: 'scripted', AGENT_SCRIPT: 'none.json' }), /^AGENT_SCRIPT: /],
    [
      'a database that is not there',
      () => ({ DATABASE_URL: 'postgres://nobody:nothing@127.0.0.1:1/none' }),
      /^The database that DATABASE_URL names can't be used \(ECONNREFUSED\)/,
    ],
  ])('ends with %s and one sentence, and leaves nothing running', async (_, env, sentence) => {
    await writeFile(join(folder, 'none.json'), '[]');
    const { code, stderr } = await run(['start'], { ...good, LOG_LEVEL: 'fatal', ...env() });
    expect(code).toBe(1);
    expect(stderr).toMatch(sentence);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    const { rows } = await database.db.raw(
      `select count(*)::int as n from pg_stat_activity where datname = current_database() and application_name like 'specwright%'`,
    );
    expect(rows[0].n).toBe(0);
  });
});

describe('the command line', () => {
  test.each([
    ['no verb', [], /^Usage: specwright <verb>/],
    ['an unknown verb', ['launch'], /^There is no verb "launch"\.\n\nUsage:/],
    ['an object’s own words', ['constructor'], /^There is no verb "constructor"/],
    ['an unknown option', ['start', '--rolle', 'web'], /--rolle[\s\S]+Usage:/],
    ['an option without its value', ['start', '--role'], /--role[\s\S]+Usage:/],
  ])('answers %s with its usage and exit code 64', async (_, args, text) => {
    const { code, stderr, stdout } = await run(args);
    expect({ code, stdout }).toEqual({ code: 64, stdout: '' });
    expect(stderr).toMatch(text);
  });

  test('migrate wants a database, brings it up to date and has nothing to do after that', async () => {
    expect((await run(['migrate'])).code).toBe(78);
    const empty = await freshDatabase({ template: 'template1' });
    try {
      const first = await run(['migrate'], { DATABASE_URL: empty.url });
      expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Applied 0001_/) });
      expect(await run(['migrate'], { DATABASE_URL: empty.url })).toMatchObject({
        code: 0,
        stdout: 'Nothing to do.\n',
      });
    } finally {
      await empty.drop();
    }
  });
});

test('web and worker run apart: the worker’s port has its health and takes no webhooks', async () => {
  const roles = ['web', 'worker'] as const;
  const processes = roles.map((role) => runCli(['start', '--role', role], { cwd: folder, env: good }));
  const urls = await Promise.all(
    processes.map(async (one) => {
      await until(() => /Specwright is ready/.test(one.stderr()) || one.child.exitCode !== null, 20_000);
      return /"url":"([^"]+)"[^\n]*Specwright is ready/.exec(one.stderr())![1]!;
    }),
  );
  const statuses = await Promise.all(
    urls.map(async (url) => ({
      live: (await fetch(`${url}/health/live`)).status,
      hook: (await fetch(`${url}/api/github/webhooks`, { method: 'POST', body: '{}' })).status,
      api: (await fetch(`${url}/api/v1/specs/1/events`)).status,
    })),
  );
  expect(statuses).toEqual([
    { live: 200, hook: 401, api: 401 },
    { live: 200, hook: 404, api: 404 },
  ]);
  for (const { child } of processes) child.kill('SIGTERM');
  expect(await Promise.all(processes.map(({ ended }) => ended))).toEqual([0, 0]);
});
