import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Finding } from '../../src/cli/doctor/finding.ts';
import { newPrivateKey } from '../../src/emulator/accounts.ts';
import { runCli } from '../harness/cli.ts';
import { type Line, openLine } from '../harness/line.ts';

let line: Line;
let folder: string;
let receiver: Server;
let answer = 202;

beforeAll(async () => {
  line = await openLine();
  folder = await mkdtemp(join(tmpdir(), 'specwright-doctor-'));
  receiver = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(answer).end());
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  pointWebhooks();
  // What was sent before there was an address is sent again, as an operator would do.
  const guids = line.github.deliveries().map(({ guid }) => guid);
  for (const guid of guids) await line.github.redeliver(guid);
});
afterAll(async () => {
  receiver.close();
  await line.close();
  await rm(folder, { recursive: true, force: true });
});

function pointWebhooks(path = '/api/github/webhooks'): void {
  const { port } = receiver.address() as AddressInfo;
  line.github.setWebhookUrl(line.world.app.id, `http://127.0.0.1:${port}${path}`);
}

/** `specwright doctor --json` with the line's environment and changes to it. */
async function examine(
  env: Record<string, string> = {},
): Promise<{ code: number | null; of(about: string): Finding }> {
  const run = runCli(['doctor', '--json'], { cwd: folder, env: { ...line.env, ...env } });
  const code = await run.ended;
  const { findings } = JSON.parse(run.stdout()) as { findings: Finding[] };
  return { code, of: (about) => findings.find((finding) => finding.about === about)! };
}

test('finds nothing wrong with a sound set-up, looks at everything, and exits with 0', async () => {
  const run = runCli(['doctor'], { cwd: folder, env: { ...line.env, LOG_LEVEL: 'info' } });
  expect(await run.ended).toBe(0);
  const lines = run.stdout().split('\n');
  const looked = lines.map((text) => text.slice(7, 25).trim()).filter((about) => about !== '');
  expect(looked).toEqual(
    expect.arrayContaining([
      'Settings',
      'GitHub',
      'Clock',
      'Credentials',
      'Permissions',
      'Events',
      'Installations',
      'Webhook',
      'Way in',
      'Database',
      'Schema',
      'Sandbox',
      'Agent',
    ]),
  );
  expect(run.stdout()).not.toContain('WRONG');
  expect(run.stdout()).toMatch(/Nothing is wrong/);
  expect(run.stdout() + run.stderr()).not.toContain(line.webhookSecret);
});

test('names every setting that keeps the App from starting, and exits with 78', async () => {
  const { code, of } = await examine({ WEBHOOK_SECRET: 'development', PORT: 'http' });
  expect(code).toBe(78);
  expect(of('WEBHOOK_SECRET')).toMatchObject({
    verdict: 'wrong',
    fix: expect.stringContaining('openssl rand'),
  });
  expect(of('PORT').verdict).toBe('wrong');
});

test('tells a key of another App from GitHub not answering', async () => {
  const [key, silent] = await Promise.all([
    examine({ PRIVATE_KEY: newPrivateKey() }),
    examine({ GHE_HOST: '127.0.0.1:9' }),
  ]);
  expect([key.code, silent.code]).toEqual([1, 1]);
  expect(key.of('GitHub').verdict).toBe('ok');
  expect(key.of('Credentials')).toMatchObject({ verdict: 'wrong', fix: expect.stringContaining('APP_ID') });
  expect(silent.of('GitHub')).toMatchObject({ verdict: 'wrong', fix: expect.stringContaining('GHE_HOST') });
  expect(silent.of('Clock').verdict).toBe('unknown');
});

test('says what is wrong with the database, and goes on', async () => {
  const { code, of } = await examine({ DATABASE_URL: 'postgres://nobody:wrong@127.0.0.1:9/none' });
  expect(code).toBe(1);
  expect(of('Database')).toMatchObject({ verdict: 'wrong', says: expect.stringContaining('ECONNREFUSED') });
  expect(of('Sandbox').verdict).toBe('ok');
});

test('names a webhook whose secret is refused, whose address leads elsewhere, and one that is not set', async () => {
  answer = 401;
  const refused = await examine();
  expect(refused.code).toBe(1);
  expect(refused.of('Way in')).toMatchObject({
    verdict: 'wrong',
    fix: expect.stringContaining('WEBHOOK_SECRET'),
  });
  answer = 202;
  pointWebhooks('/somewhere');
  expect((await examine()).of('Webhook')).toMatchObject({
    verdict: 'wrong',
    fix: expect.stringContaining('/api/github/webhooks'),
  });
  line.github.setWebhookUrl(line.world.app.id, null);
  expect((await examine()).of('Webhook')).toMatchObject({
    verdict: 'wrong',
    says: expect.stringContaining('no webhook address'),
  });
  pointWebhooks();
});

test('lists an installation that was suspended', async () => {
  line.github.suspendInstallation(line.world.installation.id);
  const { of } = await examine();
  expect(of('Installation on acme')).toMatchObject({
    verdict: 'attention',
    says: expect.stringContaining('suspended'),
  });
  line.github.unsuspendInstallation(line.world.installation.id);
});
