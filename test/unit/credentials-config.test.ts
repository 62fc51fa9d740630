import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { readBaseUrl } from '../../src/base-url.ts';
import { loadConfig, secretsOf } from '../../src/config.ts';

const valid = {
  APP_ID: '123456',
  PRIVATE_KEY: generateKeyPairSync('rsa', { modulusLength: 2048 })
    .privateKey.export({ type: 'pkcs1', format: 'pem' })
    .toString(),
  WEBHOOK_SECRET: randomBytes(32).toString('hex'),
};

function configOf(env: Record<string, string>) {
  const read = loadConfig({ ...valid, ...env });
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.config;
}

function problemsOf(env: Record<string, string>) {
  const read = loadConfig({ ...valid, ...env });
  if (read.ok) throw new Error('the configuration was accepted');
  return read.problems;
}

describe('model credentials', () => {
  const [one, two] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')];

  test('are off unless something is said about them', () => {
    expect(configOf({}).credentials).toEqual({ keys: [], allowSubscription: false, environment: [] });
  });

  test('are sealed with named keys, the first of which seals, and every one of which is a secret', () => {
    const config = configOf({ CREDENTIAL_KEYS: `k2:${two}, k1:${one}` });
    expect(config.credentials.keys).toEqual([
      { id: 'k2', base64: two },
      { id: 'k1', base64: one },
    ]);
    expect(secretsOf(config)).toEqual(expect.arrayContaining([one, two]));
  });

  test.each([
    ['a key without a name', one, 'does not begin with an id'],
    ['a name that is none', `k 1:${one}`, 'does not begin with an id'],
    ['a short key', `k1:${Buffer.from('short').toString('base64')}`, 'not the base64 of 32 bytes'],
    ['a key that can be guessed', `k1:${Buffer.alloc(32, 1).toString('base64')}`, 'can be guessed'],
    ['one name twice', `k1:${one},k1:${two}`, 'names two keys "k1"'],
    ['nothing but commas', ', ,', 'holds no key'],
  ])('%s is refused, and not quoted', (_what, CREDENTIAL_KEYS, text) => {
    const [problem] = problemsOf({ CREDENTIAL_KEYS });
    expect(problem).toMatchObject({ name: 'CREDENTIAL_KEYS', problem: expect.stringContaining(text) });
    expect(JSON.stringify(problem)).not.toContain(one.slice(0, 12));
  });

  test('may come from the environment, and are secrets then', () => {
    const config = configOf({
      OPENAI_API_KEY: 'sk-proj-0123456789',
      OPENAI_BASE_URL: 'http://models:4000/v1/',
      ANTHROPIC_API_KEY: 'sk-ant-api03-0123',
    });
    expect(config.credentials.environment).toEqual([
      { kind: 'anthropic', variable: 'ANTHROPIC_API_KEY', apiKey: 'sk-ant-api03-0123', baseUrl: null },
      {
        kind: 'openai',
        variable: 'OPENAI_API_KEY',
        apiKey: 'sk-proj-0123456789',
        baseUrl: 'http://models:4000',
      },
    ]);
    expect(secretsOf(config)).toEqual(expect.arrayContaining(['sk-proj-0123456789', 'sk-ant-api03-0123']));
  });

  test.each([
    ['ANTHROPIC_API_KEY', 'sk-ant-oat01-0123456789', 'belongs to one person'],
    ['ANTHROPIC_API_KEY', 'two words 0123456789', 'is no API key'],
    ['OPENAI_BASE_URL', 'http://models.example.com', 'unencrypted'],
    ['ALLOW_CLAUDE_SUBSCRIPTION', 'true', 'must be no or yes'],
  ])('%s=%s is refused', (name, value, text) => {
    expect(problemsOf({ [name]: value })[0]).toMatchObject({ name, problem: expect.stringContaining(text) });
  });
});

describe('the address of a model API', () => {
  test.each([
    ['https://models.example.com', 'https://models.example.com'],
    ['https://models.example.com/proxy/v1/', 'https://models.example.com/proxy'],
    ['http://127.0.0.1:8080', 'http://127.0.0.1:8080'],
    ['http://[::1]:8080/v1', 'http://[::1]:8080'],
    ['http://litellm:4000', 'http://litellm:4000'],
    ['http://172.20.1.1', 'http://172.20.1.1'],
  ])('%s is read as %s', (text, url) => {
    expect(readBaseUrl(text)).toEqual({ ok: true, url });
  });

  test.each([
    'models.example.com',
    'ftp://models.example.com',
    'https://me:secret@models.example.com',
    'https://models.example.com/?key=secret',
    'http://172.32.1.1',
    'http://[2001:db8::1]',
    'http://127.0.0.1.example.com',
  ])('%s is refused, and not quoted', (text) => {
    const read = readBaseUrl(text);
    expect(read.ok).toBe(false);
    expect(JSON.stringify(read)).not.toContain('secret');
  });
});
