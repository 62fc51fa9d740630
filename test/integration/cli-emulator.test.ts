import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type CliRun, runCli } from '../harness/cli.ts';
import { type FreshDatabase, freshDatabase } from '../harness/database.ts';
import { until } from '../harness/until.ts';

const run = promisify(execFile);
const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

let folder: string;
let database: FreshDatabase;
let port: number;
let emulator: CliRun;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'specwright-cli-emulator-'));
  database = await freshDatabase();
  port = await freePort();
  const webhook = `http://127.0.0.1:${port}/api/github/webhooks`;
  emulator = runCli(['emulator', '--webhook', webhook], { cwd: folder });
  await until(() => emulator.stdout().includes('Press Ctrl-C'));
});
afterAll(async () => {
  emulator.child.kill('SIGKILL');
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port: free } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return free;
}

/** A printed command with the lines that continue it. */
function printed(start: string): string {
  const lines = emulator.stdout().split('\n');
  const first = lines.findIndex((line) => line.trim().startsWith(start));
  const last = lines.findIndex((line, index) => index >= first && !line.endsWith('\\'));
  return lines.slice(first, last + 1).join('\n');
}

test('what it prints starts an App, opens an issue that the App takes up, and clones', async () => {
  const command = printed('GHE_HOST=').replace('npm start', `exec '${process.execPath}' '${main}' start`);
  const { PATH = '', HOME = '' } = process.env;
  const env = { PATH, HOME, DATABASE_URL: database.url, DATA_DIR: folder, PORT: String(port) };
  const app = spawn('sh', ['-c', command], { cwd: folder, env, stdio: 'ignore' });
  const ended = new Promise((resolve) => app.once('exit', resolve));
  try {
    const ready = () => fetch(`http://127.0.0.1:${port}/health/ready`).then(({ ok }) => ok);
    await until(() => ready().catch(() => false), 20_000);
    const { stdout } = await run('sh', ['-c', `${printed('curl')} --silent`]);
    expect(JSON.parse(stdout)).toMatchObject({ number: 1 });
    await until(async () => (await database.db('specs').first())?.status === 'planning');
  } finally {
    app.kill('SIGTERM');
  }
  expect(await ended).toBe(0);

  await run('sh', ['-c', `${printed('git clone')} clone`], { cwd: folder });
  expect(existsSync(join(folder, 'clone/src/greet.js'))).toBe(true);
}, 40_000);

test('it names what is wrong with a port or an address', async () => {
  for (const [args, text] of [
    [['--port', 'x'], /^--port: "x" is no port/],
    [['--webhook', 'here'], /^--webhook: "here" is no URL/],
  ] as const) {
    const wrong = runCli(['emulator', ...args], { cwd: folder });
    expect(await wrong.ended).toBe(1);
    expect(wrong.stderr()).toMatch(text);
  }
});

test('Ctrl-C stops it', async () => {
  emulator.child.kill('SIGINT');
  expect(await emulator.ended).toBe(0);
});
