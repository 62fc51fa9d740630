import { execFile, spawn } from 'node:child_process';
import { open, readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { FatalError } from '../../errors.ts';
import type { Binaries } from './binaries.ts';
import type { Identity } from './identity.ts';

/** What PostgreSQL itself writes about a running server into `postmaster.pid`. */
export interface Postmaster {
  pid: number;
  port: number;
  ready: boolean;
}

/** Reads the server's pid file; undefined if there is none or it is only half written. */
export async function readPostmaster(data: string): Promise<Postmaster | undefined> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const lines = text.split('\n');
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  return { pid, port: Number(lines[3] ?? 0), ready: lines[7]?.trim() === 'ready' };
}

/** Whether a process of this id exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Whether `pid` is a PostgreSQL process: after a reboot the number in a stale file may be anybody's. */
export async function isPostgres(pid: number): Promise<boolean> {
  if (!isAlive(pid)) return false;
  if (process.platform === 'win32') return true;
  const name =
    process.platform === 'linux'
      ? await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')
      : await promisify(execFile)('ps', ['-p', String(pid), '-o', 'comm=']).then(
          ({ stdout }) => stdout,
          () => '',
        );
  return name.trim().endsWith('postgres');
}

/** Sends `signal` (INT: end sessions and stop; QUIT: stop at once) in the way that works on every platform. */
export async function signalPostmaster(
  pid: number,
  signal: 'INT' | 'QUIT',
  server: { binaries: Binaries; identity: Identity },
): Promise<void> {
  const { uid, gid } = server.identity;
  try {
    await promisify(execFile)(server.binaries.pgCtl, ['kill', signal, String(pid)], { uid, gid, cwd: '/' });
  } catch (error) {
    if (isAlive(pid))
      throw new FatalError(`can't stop the embedded PostgreSQL (pid ${pid})`, { cause: error });
  }
}

/** Waits until the process is gone; false if it is still there after `ms` milliseconds. */
export async function waitForExit(pid: number, ms: number): Promise<boolean> {
  for (const end = Date.now() + ms; Date.now() < end; await delay(5)) if (!isAlive(pid)) return true;
  return !isAlive(pid);
}

/** Settings of the server; `durable: false` trades safety against power loss for speed. */
function serverSettings(port: number, durable: boolean): string[] {
  const settings: Record<string, string | number> = {
    listen_addresses: '127.0.0.1',
    port,
    // Socket paths over 107 bytes fail and loopback TCP is as fast.
    unix_socket_directories: '',
    max_connections: 200,
    shared_buffers: '64MB',
    wal_level: 'minimal',
    max_wal_senders: 0,
    // Values of a failed statement must not reach a log.
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    log_timezone: 'UTC',
    timezone: 'UTC',
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/**
 * Starts a server in its own process group (Ctrl-C reaches the app alone, which then drains and stops it) and
 * waits until it takes connections. Returns undefined if another server came first, its port was taken meanwhile,
 * or processes of the one before are still ending: look again. Throws a FatalError with the server's last words.
 */
export async function launch(
  folder: string,
  options: { binaries: Binaries; identity: Identity; durable: boolean },
): Promise<Postmaster | undefined> {
  const data = join(folder, 'data');
  const logPath = join(folder, 'postgres.log');
  const log = await openLog(logPath);
  const said = (await log.stat()).size;
  const { uid, gid } = options.identity;
  const args = ['-D', data, ...serverSettings(await freePort(), options.durable)];
  const child = spawn(options.binaries.postgres, args, {
    uid,
    gid,
    cwd: '/',
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    env: {
      ...(process.env.SystemRoot ? { SystemRoot: process.env.SystemRoot } : {}),
      LC_ALL: 'C',
      TZ: 'UTC',
    },
  });
  let ended: string | undefined;
  child.on('error', (error) => {
    ended = error.message;
  });
  child.on('exit', (code, signal) => {
    ended ??= `exit ${code ?? signal}`;
  });
  child.unref();
  await log.close();
  while (ended === undefined) {
    const postmaster = await readPostmaster(data);
    if (postmaster?.ready && postmaster.pid === child.pid) return postmaster;
    await delay(4);
  }
  const words = (await readFile(logPath, 'utf8')).slice(said);
  if (/lock file .* already exists|could not bind|shared memory block .* still in use/.test(words))
    return undefined;
  const reason = words.match(/(FATAL|PANIC|error while loading).*/)?.[0] ?? ended;
  throw new FatalError(`the embedded PostgreSQL does not start: ${reason} (more in ${logPath})`);
}

const LOG_LIMIT = 8 * 1024 * 1024;

async function openLog(path: string) {
  const size = await stat(path).then(
    (info) => info.size,
    () => 0,
  );
  return await open(path, size > LOG_LIMIT ? 'w' : 'a', 0o600);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new FatalError('no free port on 127.0.0.1');
  return address.port;
}
