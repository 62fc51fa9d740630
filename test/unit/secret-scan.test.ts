import { describe, expect, test } from '@jest/globals';
import { secretFileRule } from '../../src/services/branches/checks/secret-files.ts';
import { type ScannedText, scanSecrets } from '../../src/services/branches/checks/secrets.ts';

// Put together here, so that no scanner of this repository finds them in it.
const GITHUB = `ghp_${'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8'}`;
const SAMPLES: Readonly<Record<string, string>> = {
  'github/GITHUB_TOKEN': `const t = "${GITHUB}";`,
  'aws/AWSSecretAccessKey': `AWS_SECRET_ACCESS_KEY = "${'wJalrXUtnFEMI/K7MDENG/bPxRfiCYzz'}zzzzzKEY"`,
  'anthropic/ANTHROPIC_API_KEY': `sk-ant-${`api03-${'aB3dE5gH7j'.repeat(9)}aBC-abcdefAA`}`,
  'slack/SLACK_TOKEN': `xoxb-${'123456789012-1234567890123-AbCdEfGhIjKlMnOpQrStUvWx'}`,
  'stripe/STRIPE_SECRET_KEY_LIVE': `sk_live_${'51H8aBcDeFgHiJkLmNoPqRsTuVwXyZ'}`,
  'npm/NPM_ACCESS_TOKEN': `//registry.example/:_authToken=npm_${'aB3dE5gH7j'.repeat(3)}aB3dE5`,
  'basicauth/BasicAuth': `fetch("https://user:${'passw0rd'}@example.com/x")`,
  'gitlab/GITLAB_PERSONAL_ACCESS_TOKEN': `glpat-${'aB3dE5gH7jaB3dE5gH7j'}`,
  'database-connection-string/PostgreSQLConnection': `postgres://admin:${'s3cr3tpw'}@db.example.com:5432/app`,
};
const KEY = [
  `-----BEGIN ${'RSA'} PRIVATE KEY-----`,
  ...Array.from({ length: 12 }, () => `MIIEpAIBAAKCAQEA${'Qx7zF3'.repeat(8)}`),
  `-----END ${'RSA'} PRIVATE KEY-----`,
];

const NOTHING = { ignorePaths: [], ignoreRules: [] };

function text(path: string, lines: readonly string[], from = 1): ScannedText {
  return { path, isNew: false, lines: lines.map((line, at) => ({ number: from + at, text: line })) };
}

describe('the search for secrets', () => {
  test.each(Object.entries(SAMPLES))('finds %s and says line and rule', async (rule, line) => {
    const found = await scanSecrets([text('src/a.js', ['let a;', line], 40)], NOTHING);
    expect(found).toEqual([{ path: 'src/a.js', line: 41, rule }]);
  });

  test('finds a private key over its lines', async () => {
    const found = await scanSecrets([text('x.txt', ['a', ...KEY, 'b'])], NOTHING);
    expect(found).toEqual([{ path: 'x.txt', line: 2, rule: 'privatekey/PrivateKey' }]);
  });

  test('never tells the secret itself', async () => {
    const all = [...Object.values(SAMPLES), ...KEY];
    const found = await scanSecrets([text('src/a.js', all)], NOTHING);
    expect(found.length).toBeGreaterThanOrEqual(Object.keys(SAMPLES).length);
    for (const line of all) expect(JSON.stringify(found)).not.toContain(line.slice(-12));
  });

  test('is not switched off by a comment in what it reads', async () => {
    const line = `t = "${GITHUB}" // secretlint-disable-line`;
    const comments = ['// secretlint-disable', '/* secretlint-disable */', '# secretlint-disable-next-line'];
    for (const comment of comments) {
      expect(await scanSecrets([text('a.js', [comment, line])], NOTHING)).toHaveLength(1);
    }
  });

  test('finds nothing in ordinary code, placeholders and public keys', async () => {
    const lines = [
      'const token = process.env.GITHUB_TOKEN;',
      'AWS_SECRET_ACCESS_KEY=<your key>',
      'postgres://localhost:5432/app',
      `sha256-${'a1B2c3D4'.repeat(8)}`,
      'https://example.com/@scope/package',
      `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${'x'.repeat(40)} mona@example.com`,
    ];
    expect(await scanSecrets([text('README.md', lines)], NOTHING)).toEqual([]);
  });

  test('lets pass what the settings name: paths, one rule, all of a kind', async () => {
    const one = [text('test/fixtures/a.js', [SAMPLES['github/GITHUB_TOKEN'] ?? ''])];
    expect(await scanSecrets(one, NOTHING)).toHaveLength(1);
    expect(await scanSecrets(one, { ...NOTHING, ignorePaths: ['test/fixtures/**'] })).toEqual([]);
    expect(await scanSecrets(one, { ...NOTHING, ignoreRules: ['github/GITHUB_TOKEN'] })).toEqual([]);
    expect(await scanSecrets(one, { ...NOTHING, ignoreRules: ['github'] })).toEqual([]);
    expect(await scanSecrets(one, { ignorePaths: ['src/**'], ignoreRules: ['git', 'slack'] })).toHaveLength(
      1,
    );
  });

  test('looks through long files in parts and loses none where they meet', async () => {
    const filler = Array.from(
      { length: 60 },
      (_, n) => `const value${n} = compute(${n}); // ${'x'.repeat(60)}`,
    );
    const lines = Array.from({ length: 120 }, () => [...filler, ...KEY]).flat();
    const found = await scanSecrets([text('big.js', lines)], NOTHING);
    expect(found.map(({ line }) => line)).toEqual(
      Array.from({ length: 120 }, (_, n) => n * (filler.length + KEY.length) + filler.length + 1),
    );
  });

  test('takes hostile text as fast as ordinary one', async () => {
    const started = performance.now();
    const hostile = [
      'a'.repeat(5e5),
      'A'.repeat(5e5),
      'sk-'.repeat(1e5),
      'https://a:'.repeat(5e4),
      ' '.repeat(5e5),
    ];
    expect(await scanSecrets([text('a.js', hostile)], NOTHING)).toEqual([]);
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

describe('the name of a file', () => {
  test.each([
    ['.env', 'dotenv'],
    ['app/.env.production', 'dotenv'],
    ['.ENV', 'dotenv'],
    ['id_rsa', 'ssh-key'],
    ['keys/id_ed25519', 'ssh-key'],
    ['release.keystore', 'key-store'],
    ['cert.p12', 'key-store'],
    ['.netrc', 'password-file'],
    ['infra/terraform.tfstate', 'terraform-state'],
    ['home/.aws/credentials', 'cloud-credentials'],
  ])('%s tells of a secret: %s', async (path, rule) => {
    expect(secretFileRule(path)).toBe(rule);
    const found = await scanSecrets([{ path, isNew: true, lines: [] }], NOTHING);
    expect(found).toEqual([{ path, line: null, rule: `file-name/${rule}` }]);
    // Who has it already in the repository decided so.
    expect(await scanSecrets([{ path, isNew: false, lines: [] }], NOTHING)).toEqual([]);
  });

  test.each([
    '.env.example',
    '.env.local.example',
    '.env.sample',
    'src/env.ts',
    'id_rsa.pub',
    'docs/.envrc.dist',
    'x.pem',
  ])('%s tells of none', (path) => {
    expect(secretFileRule(path)).toBeNull();
  });
});
