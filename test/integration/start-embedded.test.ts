import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newPrivateKey } from '../../src/emulator/accounts.ts';
import { type CliRun, runCli } from '../harness/cli.ts';
import { until } from '../harness/until.ts';

let folder: string;
const started: CliRun[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'specwright-start-'));
  await chmod(folder, 0o711);
});
afterAll(async () => {
  for (const { child } of started) child.kill('SIGKILL');
  const server = await postmaster();
  if (server !== null && isAlive(server)) process.kill(server, 'SIGQUIT');
  await until(() => server === null || !isAlive(server));
  await rm(folder, { recursive: true, force: true });
});

/** `npm start` without a database of its own; answers when it is ready. */
async function start(): Promise<{ run: CliRun; url: string }> {
  const run = runCli(['start'], {
    cwd: folder,
    env: {
      APP_ID: '12',
      PRIVATE_KEY: newPrivateKey(),
      WEBHOOK_SECRET: '0f2d4b6c8e1a3957bd0c2e4f6a8b1d3c',
      PORT: '0',
      DATA_DIR: folder,
    },
  });
  started.push(run);
  await until(() => /Specwright is ready/.test(run.stderr()) || run.child.exitCode !== null, 25_000);
  return { run, url: /"url":"([^"]+)"[^\n]*Specwright is ready/.exec(run.stderr())![1]! };
}

/** The pid of the database server; null when none was left running. */
async function postmaster(): Promise<number | null> {
  const file = join(folder, 'postgres', 'cluster', 'data', 'postmaster.pid');
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  return text === null ? null : Number(text.split('\n')[0]);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    // ESRCH: there is no such process.
    return false;
  }
}

test('without DATABASE_URL the App brings its PostgreSQL, finds it again after kill -9, and takes it along', async () => {
  const first = await start();
  const health = await fetch(`${first.url}/health/ready`);
  expect(health.status).toBe(200);
  expect(await health.json()).toMatchObject({ status: 'ready' });
  const server = (await postmaster())!;
  expect(isAlive(server)).toBe(true);

  first.run.child.kill('SIGKILL');
  await first.run.ended;
  expect(isAlive(server)).toBe(true);

  const second = await start();
  expect((await fetch(`${second.url}/health/ready`)).status).toBe(200);
  expect(await postmaster()).toBe(server);

  second.run.child.kill('SIGTERM');
  expect(await second.run.ended).toBe(0);
  expect(isAlive(server)).toBe(false);
  expect(await postmaster()).toBeNull();
}, 60_000);
