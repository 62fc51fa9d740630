import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { loadConfig, secretsOf } from '../../src/config.ts';

const folder = mkdtempSync(join(tmpdir(), 'config-'));
afterAll(() => rmSync(folder, { recursive: true }));

const pem = rsa(2048);
const secret = randomBytes(32).toString('hex');
const valid = { APP_ID: '123456', PRIVATE_KEY: pem, WEBHOOK_SECRET: secret };

function rsa(modulusLength: number): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength });
  return privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
}

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function configOf(env: Record<string, string>) {
  const read = loadConfig({ ...valid, ...env });
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.config;
}

function problemsOf(env: Record<string, string | undefined>) {
  const read = loadConfig({ ...valid, ...env });
  if (read.ok) throw new Error('the configuration was accepted');
  return read.problems;
}

describe('what an operator may leave out', () => {
  test('three variables are enough, and the rest has defaults', () => {
    const config = configOf({});
    expect(config).toMatchObject({
      appId: 123456,
      port: 3000,
      host: '127.0.0.1',
      role: 'all',
      databaseUrl: null,
      apiToken: null,
      agent: null,
      agents: { preferred: null, cliDir: null },
      sandbox: { provider: 'local', unsafe: null },
      github: { apiUrl: 'https://api.github.com', webUrl: 'https://github.com' },
      times: { heartbeatTimeoutSeconds: 90, statusIntervalSeconds: 10, drainSeconds: 25 },
    });
    expect(config.dataDir).toBe(join(process.cwd(), '.data'));
  });

  test('an empty value counts as unset', () => {
    expect(configOf({ PORT: '', DATABASE_URL: '  ', API_TOKEN: '' })).toMatchObject({
      port: 3000,
      apiToken: null,
    });
  });

  test('port 0 asks for any free port', () => {
    expect(configOf({ PORT: '0' }).port).toBe(0);
  });

  test('the configuration is frozen through and through', () => {
    const config = configOf({});
    expect(Object.isFrozen(config) && Object.isFrozen(config.times) && Object.isFrozen(config.github)).toBe(
      true,
    );
  });

  test('an Enterprise Server changes the addresses', () => {
    expect(configOf({ GHE_HOST: 'github.example.com' }).github).toMatchObject({
      apiUrl: 'https://github.example.com/api/v3',
      webUrl: 'https://github.example.com',
    });
  });

  test('plain http is for this machine alone', () => {
    expect(configOf({ GHE_HOST: 'localhost:4000', GHE_PROTOCOL: 'http' }).github.webUrl).toBe(
      'http://localhost:4000',
    );
    expect(problemsOf({ GHE_HOST: 'github.example.com', GHE_PROTOCOL: 'http' })[0]?.name).toBe(
      'GHE_PROTOCOL',
    );
  });
});

describe('the private key', () => {
  test.each([
    ['PEM text', pem],
    ['line ends written as \\n', pem.replaceAll('\n', '\\n')],
    ['quotes around it', `"${pem.replaceAll('\n', '\\n')}"`],
    ['base64', Buffer.from(pem).toString('base64')],
    ['CRLF line ends', pem.replaceAll('\n', '\r\n')],
  ])('is read as %s', (_form, value) => {
    expect(configOf({ PRIVATE_KEY: value }).privateKey).toContain(
      '-----BEGIN RSA PRIVATE KEY-----\n'.slice(0, -1),
    );
  });

  test('is read from a file', () => {
    expect(configOf({ PRIVATE_KEY: '', PRIVATE_KEY_PATH: file('key.pem', pem) }).privateKey).toBe(pem);
  });

  test.each([
    [
      'a public key',
      generateKeyPairSync('rsa', { modulusLength: 2048 })
        .publicKey.export({ type: 'spki', format: 'pem' })
        .toString(),
    ],
    [
      'an elliptic key',
      generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    ],
    ['a short key', rsa(1024)],
    ['half a key', pem.slice(0, 400)],
    ['words', 'not a key at all'],
  ])('%s is refused without being quoted', (_form, value) => {
    const problems = problemsOf({ PRIVATE_KEY: value });
    expect(problems.map((problem) => problem.name)).toEqual(['PRIVATE_KEY']);
    expect(JSON.stringify(problems)).not.toContain(value.slice(0, 60));
  });

  test('a file that is not there is named by its variable', () => {
    expect(problemsOf({ PRIVATE_KEY: '', PRIVATE_KEY_PATH: join(folder, 'none.pem') })[0]).toMatchObject({
      name: 'PRIVATE_KEY_PATH',
      problem: 'names a file that cannot be read',
    });
  });
});

describe('secrets', () => {
  test.each([
    ['unset', undefined],
    ["Probot's default", 'development'],
    ['31 bytes', secret.slice(0, 31)],
    ['a placeholder', 'your-webhook-secret-goes-here-please'],
    ['one letter repeated', 'a'.repeat(64)],
  ])('a webhook secret that is %s refuses to boot', (_what, value) => {
    const [problem, ...others] = problemsOf({ WEBHOOK_SECRET: value });
    expect(others).toEqual([]);
    expect(problem?.name).toBe('WEBHOOK_SECRET');
    expect(problem?.fix).toMatch(/^Set WEBHOOK_SECRET to at least 32 random bytes/);
  });

  test('32 bytes are enough, counted in bytes', () => {
    expect(configOf({ WEBHOOK_SECRET: `${secret.slice(0, 26)}äöü` }).webhookSecret).toBeTruthy();
  });

  test('a weak previous secret or API token refuses too', () => {
    const names = problemsOf({ WEBHOOK_SECRET_PREVIOUS: 'old', API_TOKEN: 'changeme' }).map(
      (each) => each.name,
    );
    expect(names).toEqual(['WEBHOOK_SECRET_PREVIOUS', 'API_TOKEN']);
  });

  test('all secret values are listed for the censor, the database password by itself as well', () => {
    const config = configOf({
      WEBHOOK_SECRET_PREVIOUS: `${secret}0`,
      API_TOKEN: `${secret}1`,
      DATABASE_URL: 'postgres://me:p%40ssw0rd@db/x',
    });
    expect(secretsOf(config)).toEqual([
      pem,
      secret,
      `${secret}0`,
      `${secret}1`,
      'postgres://me:p%40ssw0rd@db/x',
      'p@ssw0rd',
    ]);
  });
});

describe('refusals', () => {
  test('an environment without any credential is told apart from a wrong one', () => {
    const none = loadConfig({});
    expect(none).toMatchObject({ ok: false, kind: 'no_credentials' });
    expect(loadConfig({ APP_ID: '1' })).toMatchObject({ ok: false, kind: 'invalid' });
  });

  test('all problems are named at once, each with what to set', () => {
    const problems = problemsOf({
      APP_ID: 'abc',
      PORT: '70000',
      LOG_LEVEL: 'loud',
      ROLE: 'boss',
      DATABASE_URL: 'mysql://x',
    });
    expect(problems.map((problem) => problem.name)).toEqual([
      'APP_ID',
      'PORT',
      'LOG_LEVEL',
      'DATABASE_URL',
      'ROLE',
    ]);
    for (const { name, fix } of problems) expect(fix).toMatch(new RegExp(`^Set ${name} to `));
  });

  test.each([
    ['SANDBOX_PROVIDER', 'daytona', 'not available in this version'],
    ['SANDBOX_PROVIDER', 'docker', 'must be local'],
    ['SANDBOX_UNSAFE', 'yes', 'must be process'],
    ['AGENT', 'robot', 'must be claude or codex or command or scripted'],
    ['HEARTBEAT_TIMEOUT_SECONDS', '1', 'whole number from 10'],
    ['DRAIN_SECONDS', '2.5', 'whole number'],
    ['PUBLIC_URL', 'specwright.example.com', 'must be a URL'],
    ['PUBLIC_URL', 'https://me:pw@example.com', 'user name or password'],
    ['GHE_HOST', 'https://github.example.com/', 'must be a host name'],
  ])('%s=%s is refused', (name, value, text) => {
    const [problem] = problemsOf({ [name]: value });
    expect(problem?.name).toBe(name);
    expect(problem?.problem).toContain(text);
  });

  test('the scripted agent and its script belong together', () => {
    const script = file('script.json', '{}');
    expect(configOf({ AGENT: 'scripted', AGENT_SCRIPT: script }).agent).toEqual({
      driver: 'scripted',
      script,
    });
    expect(problemsOf({ AGENT: 'scripted' })[0]?.name).toBe('AGENT_SCRIPT');
    expect(problemsOf({ AGENT_SCRIPT: script })[0]?.name).toBe('AGENT');
    expect(problemsOf({ AGENT: 'claude', AGENT_SCRIPT: script })[0]?.name).toBe('AGENT');
    expect(problemsOf({ AGENT: 'scripted', AGENT_SCRIPT: join(folder, 'none') })[0]?.name).toBe(
      'AGENT_SCRIPT',
    );
  });

  test('an agent may be preferred, and its programs may lie in a folder of their own', () => {
    mkdirSync(join(folder, 'agents/node_modules/.bin'), { recursive: true });
    const { agent, agents } = configOf({ AGENT: 'codex', AGENT_CLI_DIR: join(folder, 'agents') });
    expect(agent).toBeNull();
    expect(agents).toEqual({ preferred: 'codex', cliDir: join(folder, 'agents') });
    expect(problemsOf({ AGENT_CLI_DIR: folder })).toMatchObject([{ name: 'AGENT_CLI_DIR' }]);
  });
});
