/** How long the App takes to start, and what it holds when it has. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApp } from './app.ts';
import { residentMib } from './child.ts';
import { startBenchPostgres } from './postgres.ts';
import { median } from './statistics.ts';

export interface Starts {
  /** Milliseconds until ready: nothing there yet, neither a database nor compiled code. */
  readonly coldMs: number;
  /** With the embedded PostgreSQL's data of an earlier start. */
  readonly warmMs: number;
  /** With DATABASE_URL, migrated already. */
  readonly warmWithUrlMs: number;
  /** `node -e 0`: what no program can go below. */
  readonly floorMs: number;
  /** Resident memory of a process that does everything, right after its start, in MiB. */
  readonly idleMib: number;
}

/** Starts and stops the App `times` times each way; medians. */
export async function measureStarts(times: number): Promise<Starts> {
  const postgres = await startBenchPostgres();
  const folder = await mkdtemp(join(tmpdir(), 'specwright-bench-'));
  await chmod(folder, 0o711);
  const webhookSecret = randomBytes(32).toString('hex');
  try {
    const { url } = await postgres.create('starts');
    const embedded = { role: 'all', webhookSecret, folder } as const;
    const cold = await start({ ...embedded, env: { NODE_DISABLE_COMPILE_CACHE: '1' } });
    await start(embedded);
    const withUrl = { ...embedded, databaseUrl: url };
    await start(withUrl);
    const warm: Started[] = [];
    const warmWithUrl: Started[] = [];
    const floor: number[] = [];
    for (let i = 0; i < times; i += 1) {
      floor.push(await bareNode());
      warm.push(await start(embedded));
      warmWithUrl.push(await start(withUrl));
    }
    return {
      coldMs: cold.ms,
      warmMs: median(warm.map(({ ms }) => ms)),
      warmWithUrlMs: median(warmWithUrl.map(({ ms }) => ms)),
      floorMs: median(floor),
      idleMib: median(warmWithUrl.map(({ mib }) => mib)),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
    await postgres.stop();
  }
}

interface Started {
  readonly ms: number;
  readonly mib: number;
}

async function start(options: Parameters<typeof startApp>[0]): Promise<Started> {
  const app = await startApp(options);
  const mib = await residentMib(app.pid);
  await app.stop();
  return { ms: app.readyMs, mib };
}

async function bareNode(): Promise<number> {
  const started = performance.now();
  const child = spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' });
  await new Promise((resolve) => child.once('exit', resolve));
  return performance.now() - started;
}
