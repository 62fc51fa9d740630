import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { CENSORED, createCensor } from '../../src/censor.ts';

const secret = 'pa+ss/w?rd "with" ünusual=chars';
const pem = generateKeyPairSync('rsa', { modulusLength: 2048 })
  .privateKey.export({ type: 'pkcs1', format: 'pem' })
  .toString();

describe('registered values', () => {
  const censor = createCensor([secret, pem]);
  test.each([
    ['raw', secret],
    ['base64', Buffer.from(secret).toString('base64').replace(/=+$/, '')],
    ['base64url', Buffer.from(secret).toString('base64url')],
    ['URL-encoded', encodeURIComponent(secret)],
    ['URL-encoded in lower case', encodeURIComponent(secret).replace(/%../g, (code) => code.toLowerCase())],
    ['escaped in JSON', JSON.stringify(secret).slice(1, -1)],
  ])('are censored in %s form', (_form, text) => {
    expect(censor(`before ${text} after`)).toMatch(/^before \[censored\]\S?=* after$/);
  });

  test.each([0, 1, 2])('are censored inside the base64 of a longer text, shifted by %d', (shift) => {
    const text = Buffer.from(`${'u'.repeat(shift)}${secret}:tail`).toString('base64');
    expect(censor(text)).toContain(CENSORED);
  });

  test('a single line of a key is censored', () => {
    expect(censor(`found ${pem.split('\n')[3]}`)).toBe(`found ${CENSORED}`);
  });

  test('a value registered later is censored until it is let go', () => {
    const later = createCensor();
    const forget = later.register('correct-horse');
    expect(later('a correct-horse b')).toBe(`a ${CENSORED} b`);
    forget();
    expect(later('a correct-horse b')).toBe('a correct-horse b');
  });

  test('a value registered twice stays censored until both let it go', () => {
    const twice = createCensor(['correct-horse']);
    twice.register('correct-horse')();
    expect(twice('correct-horse')).toBe(CENSORED);
  });

  test('a value too short to be told from a word is left to the shapes', () => {
    const short = createCensor(['spec']);
    expect(short('a spec')).toBe('a spec');
    expect(short('postgres://me:spec@db/x')).toBe(`postgres://${CENSORED}@db/x`);
  });
});

describe('shapes of credentials', () => {
  const censor = createCensor();
  const token = `ghs_123456_eyJhbGciOiJSUzI1NiJ9.${'aB3-'.repeat(120)}.sig_nature`;
  test.each([
    ['a long installation token', `got ${token}!`, `got ${CENSORED}!`],
    ['a classic token', `ghp_${'a1'.repeat(18)}`, CENSORED],
    ['a key of Anthropic', `sk-ant-api03-${'aB3_'.repeat(20)}`, CENSORED],
    ['a key of OpenAI', `sk-proj-${'aB3_'.repeat(20)}`, CENSORED],
    ['an access token of Google', `ya29.${'aB3_'.repeat(20)}`, CENSORED],
    ['a fine-grained token', `github_pat_${'a1'.repeat(30)}`, CENSORED],
    ['a bearer', 'Authorization: Bearer abc.def-ghi_jkl/mno', `Authorization: Bearer ${CENSORED}`],
    [
      'basic authentication',
      'authorization: basic eC1hY2Nlc3MtdG9rZW46eA==',
      `authorization: basic ${CENSORED}`,
    ],
    [
      'user and password in a URL',
      'clone https://x-access-token:abc@github.com/o/r',
      `clone https://${CENSORED}@github.com/o/r`,
    ],
    ['a JSON web token', `jwt ${'eyJhbGciOiJSUzI1NiJ9'}.${'b'.repeat(30)}.c-d`, `jwt ${CENSORED}`],
  ])('%s', (_what, text, expected) => {
    expect(censor(text)).toBe(expected);
  });

  test('a private key, whole, escaped, escaped twice or cut off', () => {
    const once = JSON.stringify(pem);
    for (const text of [pem, once, JSON.stringify(once), pem.slice(0, 500)]) {
      const safe = censor(`key: ${text}`);
      expect(safe).toContain(CENSORED);
      expect(safe).not.toMatch(/[A-Za-z0-9+/]{40}/);
    }
  });

  test('ordinary text is left alone', () => {
    const text =
      'token refused by https://github.com/o/r/pull/1, mail a@b.c, basic authentication, sha 0123456789abcdef0123456789abcdef01234567';
    expect(censor(text)).toBe(text);
  });

  test('hostile text takes linear time', () => {
    const size = 300_000;
    const started = process.hrtime.bigint();
    for (const part of [
      '-----BEGIN RSA PRIVATE KEY-----',
      'eyJ',
      'eyJ.',
      '://',
      'ghs_',
      'Bearer ',
      'a:b@',
      '\\',
      ' ',
    ]) {
      censor(part.repeat(size / part.length));
    }
    const milliseconds = Number(process.hrtime.bigint() - started) / 1e6;
    // A quadratic pattern takes minutes at this size.
    expect(milliseconds).toBeLessThan(3000);
  });
});
