/**
 * What no kernel limit says by itself: memory of a whole tree where there are no control groups, and disk use.
 *
 * Races: a sandbox outgrows its disk between two looks → one file is bounded by an rlimit, and a look costs so
 * little that there is one every INTERVAL_MS. Something else frees disk space while the sandbox fills it → the
 * free space hides the growth → it is measured at least every REMEASURE_MS.
 */
import { execFile } from 'node:child_process';
import { statfs } from 'node:fs/promises';
import type { Clock } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import type { Box, SandboxLog } from './box.ts';
import { allProcesses, descendants } from './tree.ts';

const INTERVAL_MS = 500;
const REMEASURE_MS = 10_000;
const DU_WITHIN_MS = 60_000;
/** A measurement that takes long is made less often: it may take a tenth of the time. */
const REST_FACTOR = 10;
const MB = 1024 * 1024;

export interface WatchdogOptions {
  readonly clock: Clock;
  readonly log: SandboxLog;
  boxes(): readonly Box[];
  firstPid(box: Box): number | null;
  /** Ends a sandbox that broke a limit. */
  end(box: Box, why: 'memory' | 'disk'): Promise<void>;
}

/** Starts looking; it goes on until the returned function is called, which waits for the look in progress. */
export function startWatchdog(options: WatchdogOptions): () => Promise<void> {
  const stop = new AbortController();
  const running = (async () => {
    while (!stop.signal.aborted) {
      await options.clock.sleep(INTERVAL_MS, stop.signal);
      if (!stop.signal.aborted) await lookAtAll(options);
    }
  })();
  return async () => {
    stop.abort();
    await running;
  };
}

async function lookAtAll(options: WatchdogOptions): Promise<void> {
  for (const box of options.boxes().filter((entry) => entry.state === 'running')) {
    try {
      const why = memoryBroken(box, options.firstPid(box))
        ? 'memory'
        : (await diskBroken(box))
          ? 'disk'
          : null;
      if (why !== null) await options.end(box, why);
    } catch (error) {
      options.log.warn(
        { sandbox: box.id, error: messageOf(error) },
        'the watchdog could not look at a sandbox',
      );
    }
  }
}

/** Whether the sandbox has used more memory than it may. */
export function memoryBroken(box: Box, firstPid: number | null): boolean {
  if (box.cgroup?.controllers.includes('memory') === true) return box.cgroup.oomKills() > 0;
  const started = [...box.children].flatMap((child) => child.pid ?? []);
  const tree = descendants(allProcesses(), firstPid === null ? started : [firstPid, ...started]);
  return tree.reduce((sum, entry) => sum + entry.residentKb, 0) * 1024 > box.limits.memoryMb * MB;
}

/** Whether the sandbox keeps more on disk than it may. Measures only when the file system's free space moved. */
export async function diskBroken(box: Box): Promise<boolean> {
  if (process.platform === 'win32') return false;
  const { bavail, bsize } = await statfs(box.folders.base);
  const free = bavail * bsize;
  const limit = box.limits.diskMb * MB;
  const mark = box.disk;
  const grown = mark.freeBytes - free;
  const age = performance.now() - mark.measuredAt;
  if (age < mark.costMs * REST_FACTOR) return false;
  if (age < REMEASURE_MS && mark.usedBytes + grown <= limit) return false;
  const began = performance.now();
  mark.usedBytes = await measure([box.folders.workspace, box.folders.home]);
  mark.freeBytes = free;
  mark.measuredAt = performance.now();
  mark.costMs = mark.measuredAt - began;
  return mark.usedBytes > limit;
}

/** Bytes that folders take on disk, each hard-linked file once. */
function measure(folders: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const options = { timeout: DU_WITHIN_MS, env: { PATH: process.env.PATH ?? '', LC_ALL: 'C' } };
    execFile('du', ['-s', '-k', '-x', '--', ...folders], options, (error, stdout) => {
      const sizes = [...stdout.matchAll(/^(\d+)\s/gm)].map((match) => Number(match[1]) * 1024);
      // du ends with 1 when a file vanished under it; its sums are there all the same.
      if (sizes.length === folders.length) resolve(sizes.reduce((sum, size) => sum + size, 0));
      else reject(error ?? new Error('du said nothing'));
    });
  });
}
