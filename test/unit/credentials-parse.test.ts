import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import {
  type CredentialKind,
  credentialKinds,
  hintOf,
  valuesOf,
} from '../../src/services/credentials/credential.ts';
import { parseBaseUrl, parseSecret, readSecret } from '../../src/services/credentials/parse.ts';

const pem = (type: 'rsa' | 'ed25519') =>
  (type === 'rsa'
    ? generateKeyPairSync('rsa', { modulusLength: 2048 })
    : generateKeyPairSync('ed25519')
  ).privateKey
    .export({ type: 'pkcs8', format: 'pem' })
    .toString();
const private_key = pem('rsa');

const bedrock = {
  region: 'eu-west-1',
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'aws-secret-0123456789/+=',
};
const serviceAccount = {
  type: 'service_account',
  client_email: 'robot@project.iam.gserviceaccount.com',
  private_key,
  private_key_id: '0123456789abcdef',
  token_uri: 'https://oauth2.googleapis.com/token',
};
const vertex = { project: 'my-project-1', region: 'us-east5', serviceAccount };

function secretOf(kind: CredentialKind, given: string) {
  const read = parseSecret(kind, given);
  if (!read.ok) throw new Error(read.problem);
  return read.secret;
}

function problemOf(kind: CredentialKind, given: string): string {
  const read = parseSecret(kind, given);
  if (read.ok) throw new Error('it was accepted');
  return read.problem;
}

describe('what is accepted', () => {
  test.each([
    ['anthropic', 'sk-ant-api03-0123456789abcd', 'abcd'],
    ['anthropic', 'a-key-of-a-compatible-service', 'vice'],
    ['openai', 'sk-proj-0123456789abcd', 'abcd'],
    ['claude-subscription', 'sk-ant-oat01-0123456789abcd', 'abcd'],
  ] as const)('%s: %s', (kind, key, hint) => {
    const secret = secretOf(kind, `${key}\n`);
    expect(secret).toEqual({ kind, key });
    expect(hintOf(secret)).toBe(hint);
    expect(valuesOf(secret)).toEqual([key]);
  });

  test('bedrock: keys with a region, and a session where they are temporary', () => {
    const temporary = { ...bedrock, sessionToken: 'session-0123456789' };
    const secret = secretOf('bedrock', JSON.stringify(temporary, null, 2));
    expect(secret).toEqual({ kind: 'bedrock', ...temporary });
    expect(hintOf(secret)).toBe('MPLE');
    expect(valuesOf(secret)).toEqual([bedrock.secretAccessKey, temporary.sessionToken]);
    expect(valuesOf(secretOf('bedrock', JSON.stringify(bedrock)))).toEqual([bedrock.secretAccessKey]);
  });

  test('vertex: a service account as Google Cloud gives it, of which only what is needed is kept', () => {
    const given = { ...vertex, serviceAccount: { ...serviceAccount, client_id: '1', universe_domain: 'x' } };
    const secret = secretOf('vertex', JSON.stringify(given));
    expect(secret).toEqual({ kind: 'vertex', ...vertex });
    expect(hintOf(secret)).toBe('cdef');
    expect(valuesOf(secret)).toEqual([private_key]);
  });
});

describe('what is refused, with what to give instead', () => {
  const SECRET = 'c4n4ry';
  const wrong: readonly [CredentialKind, string, string][] = [
    ['anthropic', '', 'Nothing was given'],
    ['anthropic', `sk-ant-oat01-${SECRET}-0123456789`, '--kind claude-subscription takes it'],
    ['anthropic', `sk-ant-admin01-${SECRET}-0123456789`, 'an admin key'],
    ['anthropic', `sk-proj-${SECRET}-0123456789`, 'a key of OpenAI'],
    ['anthropic', `ghp_${SECRET}0123456789`, 'a token of GitHub'],
    ['anthropic', `{"key":"${SECRET}"}`, 'no API key'],
    ['anthropic', `${SECRET} in two words`, 'without spaces'],
    ['anthropic', SECRET, '16 to 1000 printable characters'],
    ['openai', `sk-ant-api03-${SECRET}-0123456789`, 'a key of Anthropic'],
    ['openai', `${SECRET}-0123456789\nx-other: header`, 'without spaces'],
    ['claude-subscription', `sk-ant-api03-${SECRET}-0123456789`, 'no token of a Claude subscription'],
    ['bedrock', `AKIA${SECRET}`, 'no JSON'],
    ['bedrock', JSON.stringify({ ...bedrock, [SECRET]: 1 }), 'a key that is not known'],
    ['bedrock', JSON.stringify({ ...bedrock, region: `x.${SECRET}.com/` }), 'the name of a region'],
    ['bedrock', JSON.stringify({ region: 'eu-west-1', accessKeyId: SECRET }), 'secretAccessKey is missing'],
    ['vertex', JSON.stringify({ ...vertex, project: `../${SECRET}` }), 'a Google Cloud project'],
    [
      'vertex',
      JSON.stringify({ ...vertex, serviceAccount: { ...serviceAccount, type: 'authorized_user' } }),
      'serviceAccount.type has to be "service_account"',
    ],
    [
      'vertex',
      JSON.stringify({ ...vertex, serviceAccount: { ...serviceAccount, private_key: SECRET } }),
      'the PEM text of an RSA key',
    ],
    [
      'vertex',
      JSON.stringify({ ...vertex, serviceAccount: { ...serviceAccount, private_key: pem('ed25519') } }),
      'the PEM text of an RSA key',
    ],
    [
      'vertex',
      JSON.stringify({ ...vertex, serviceAccount: { ...serviceAccount, token_uri: `http://${SECRET}` } }),
      'serviceAccount.token_uri has to begin with https://',
    ],
  ];
  test.each(wrong)('%s: %s', (kind, given, words) => {
    const problem = problemOf(kind, given);
    expect(problem).toContain(words);
    expect(problem).toContain(`For ${kind} it is `);
    expect(problem).not.toContain(SECRET);
  });
});

test('what was sealed by another version and makes no sense is no secret', () => {
  for (const kind of credentialKinds) {
    expect(readSecret(kind, '{"unknown":1}')).toBeNull();
    expect(readSecret(kind, 'no JSON')).toBeNull();
  }
  expect(readSecret('openai', '{"key":"sk-proj-0123456789abcd"}')).toEqual({
    kind: 'openai',
    key: 'sk-proj-0123456789abcd',
  });
});

test('an address goes with every kind but a subscription, whose token is sent to Anthropic alone', () => {
  expect(parseBaseUrl('anthropic', undefined)).toEqual({ ok: true, baseUrl: null });
  expect(parseBaseUrl('bedrock', 'https://models.example.com/v1')).toEqual({
    ok: true,
    baseUrl: 'https://models.example.com',
  });
  expect(parseBaseUrl('openai', 'http://models.example.com')).toMatchObject({ ok: false });
  expect(parseBaseUrl('claude-subscription', 'https://models.example.com')).toMatchObject({
    ok: false,
    problem: expect.stringContaining('Anthropic alone'),
  });
});
