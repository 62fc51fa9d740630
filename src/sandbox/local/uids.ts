/**
 * Uids for sandboxes, unique among all processes of the machine.
 *
 * Races: two apps want the same uid → each holds an abstract Unix socket named after it, and the kernel lets
 * one of them bind → the other goes on to the next number. The app is killed → the kernel frees the names.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { RetryableError } from '../../errors.ts';
import type { Account } from './box.ts';

export interface UidRange {
  readonly first: number;
  readonly count: number;
}

/** Above the ranges of login users, /etc/subuid and container tools, so that no other account owns such a uid. */
const PREFERRED: UidRange = { first: 1_900_000_000, count: 65_536 };
const SMALLEST_RANGE = 1_000;
const ATTEMPTS = 500;

/** The uids that a process with this /proc/self/uid_map may give to sandboxes, or null when it has none to give. */
export function uidRange(uidMap: string): UidRange | null {
  const maps = uidMap
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const holds = (first: number, last: number) =>
    maps.some(([start = 0, , length = 0]) => start <= first && last < start + length);
  if (holds(PREFERRED.first, PREFERRED.first + PREFERRED.count - 1)) return PREFERRED;
  const widest = maps.reduce((best, map) => ((map[2] ?? 0) > (best[2] ?? 0) ? map : best), []);
  const [start = 0, , length = 0] = widest;
  if (length < SMALLEST_RANGE * 4) return null;
  // The last quarter of the mapping: far from the container's own users.
  const count = Math.floor(length / 4);
  return { first: start + length - count, count };
}

/** The range of this process; null unless it is root on Linux. */
export function ownUidRange(): UidRange | null {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return null;
  return uidRange(readFileSync('/proc/self/uid_map', 'utf8'));
}

/** Takes a uid of `range` that no other process holds. @throws RetryableError when all that were tried are taken */
export async function claimUid(range: UidRange): Promise<Account> {
  const offset = Math.floor(Math.random() * range.count);
  for (let attempt = 0; attempt < Math.min(ATTEMPTS, range.count); attempt++) {
    const uid = range.first + ((offset + attempt) % range.count);
    const release = await holdUid(uid);
    if (release !== null) return { uid, release };
  }
  throw new RetryableError('no free uid for a sandbox');
}

/** Takes one uid, so that no sandbox gets it until it is released; null when a process holds it. */
export function holdUid(uid: number): Promise<(() => Promise<void>) | null> {
  return bindName(`\0specwright-sandbox-uid-${uid}`);
}

/** Holds an abstract socket's name; null when another process does. */
function bindName(path: string): Promise<(() => Promise<void>) | null> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(null) : reject(error),
    );
    server.listen({ path, exclusive: true }, () => {
      server.unref();
      resolve(() => new Promise((done) => server.close(() => done())));
    });
  });
}
