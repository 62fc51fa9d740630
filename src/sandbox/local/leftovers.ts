/**
 * What killed owners left on this machine: sandbox folders, socket folders, and (unsafe mode) programs.
 *
 * Races: two apps clear up at once → removal ignores what is gone already. The uid of a dead owner's sandbox belongs
 * to a living one by now → its name can't be held, and no process is ended. A thing that can't be removed → it is
 * logged and tried again in the next pass, and the others are removed all the same.
 */
import { lstatSync } from 'node:fs';
import { readdir, readlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf, RetryableError } from '../../errors.ts';
import type { SandboxLog } from './box.ts';
import { removeTree, SOCKET_LINK, SOCKET_PREFIX } from './folders.ts';
import { ownerIsDead } from './owner.ts';
import { killPid } from './processes.ts';
import { allProcesses } from './tree.ts';
import { holdUid, ownUidRange } from './uids.ts';

const END_WITHIN_MS = 2_000;

/** Ends the programs of dead owners and removes their sockets; answers the folders that are left to remove. */
export async function endLeftovers(base: string, log: SandboxLog): Promise<string[]> {
  const names = await readdir(base).catch(() => []);
  const folders = names.filter(ownerIsDead).map((name) => join(base, name));
  for (const folder of folders) {
    await trying(log, folder, () => endProcesses(folder));
    await trying(log, folder, () => removeSockets(folder));
  }
  return folders;
}

/** Removes folders of dead owners one by one, which may take long; stops between two when `signal` aborts. */
export async function removeLeftovers(
  folders: readonly string[],
  log: SandboxLog,
  signal: AbortSignal,
): Promise<void> {
  for (const folder of folders) {
    if (signal.aborted) return;
    await trying(log, folder, () => removeTree(folder));
  }
}

async function trying(log: SandboxLog, folder: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    log.warn({ folder, error: messageOf(error) }, 'what a dead process left could not be removed');
  }
}

async function removeSockets(folder: string): Promise<void> {
  const sockets = await readlink(join(folder, SOCKET_LINK)).catch(() => null);
  if (sockets !== null && basename(sockets).startsWith(SOCKET_PREFIX)) await removeTree(sockets);
}

/** Programs of unsafe mode that survived their owner, known by the uid that was theirs alone. */
async function endProcesses(folder: string): Promise<void> {
  const uid = lstatSync(join(folder, 'workspace'), { throwIfNoEntry: false })?.uid;
  const range = ownUidRange();
  if (uid === undefined || range === null || uid < range.first || uid >= range.first + range.count) return;
  const release = await holdUid(uid);
  if (release === null) return;
  try {
    const deadline = Date.now() + END_WITHIN_MS;
    for (;;) {
      const left = allProcesses().filter((entry) => entry.uid === uid);
      if (left.length === 0) return;
      if (Date.now() > deadline) throw new RetryableError(`${left.length} processes do not end`);
      for (const { pid } of left) killPid(pid);
      await delay(10);
    }
  } finally {
    await release();
  }
}
