import type { ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RetryableError } from '../../errors.ts';
import { killGroup } from './processes.ts';
import { accountFiles } from './profile.ts';

const ENTER_WITHIN_MS = 10_000;
const STDERR_KEPT = 4_000;

/**
 * Waits until the first process of a sandbox has given up its powers; returns its number on the host.
 * @throws RetryableError with what the tools said
 */
export function untilReady(outer: ChildProcess, end: Promise<number>): Promise<number> {
  return new Promise((resolve, reject) => {
    let said = '';
    let complaints = '';
    const timer = setTimeout(() => killGroup(outer), ENTER_WITHIN_MS);
    outer.stderr?.on('data', (chunk) => {
      complaints = (complaints + String(chunk)).slice(-STDERR_KEPT);
    });
    outer.stdout?.on('data', (chunk) => {
      said += String(chunk);
      const pid = /^ready (\d+)\n/.exec(said)?.[1];
      if (pid === undefined) return;
      clearTimeout(timer);
      resolve(Number(pid));
    });
    end.then((code) => {
      clearTimeout(timer);
      reject(new RetryableError(`the sandbox did not start (exit ${code}): ${complaints.trim()}`));
    }, reject);
  });
}

/** Writes the sandbox's own passwd and group files below `base`/etc, readable to all. */
export function writeAccountFiles(base: string, uid: number): void {
  const { passwd, group } = accountFiles(uid);
  writeFileSync(join(base, 'etc', 'passwd'), passwd, { mode: 0o644 });
  writeFileSync(join(base, 'etc', 'group'), group, { mode: 0o644 });
}
