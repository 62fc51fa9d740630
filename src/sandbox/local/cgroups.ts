/**
 * Control groups of sandboxes: version 2 where it is delegated to us, else version 1, each controller only where
 * it can be had. What is missing is left to rlimits and the watchdog.
 *
 * Races: a process forks while the group is removed → the kernel refuses with EBUSY → removal kills and tries
 * again. Two apps sweep the same dead group → the second finds nothing, which is success.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { RetryableError } from '../../errors.ts';
import type { SandboxLimits } from '../provider.ts';
import { ownerIsDead, ownerToken } from './owner.ts';

export type Controller = 'memory' | 'pids' | 'cpu';

/** Folders in which groups may be made, one per controller that works here. */
export interface CgroupHost {
  readonly version: 1 | 2;
  readonly parents: Readonly<Partial<Record<Controller, string>>>;
}

/** One sandbox's group. */
export interface Cgroup {
  readonly controllers: readonly Controller[];
  /** A process joins by writing 0 to each of these files. */
  readonly procsFiles: readonly string[];
  /** How many of its processes the kernel has ended for want of memory. */
  oomKills(): number;
  /** Ends what is left in it and removes it. */
  remove(): Promise<void>;
}

const CONTROLLERS: readonly Controller[] = ['memory', 'pids', 'cpu'];
const CPU_PERIOD_US = 100_000;
const SMALLEST_QUOTA_US = 1_000;
const REMOVE_WITHIN_MS = 3_000;

/** The files that set `limits` in one group folder, and their values. Optional files are set where they exist. */
export function limitFiles(version: 1 | 2, controller: Controller, limits: SandboxLimits): LimitFile[] {
  const bytes = String(limits.memoryMb * 1024 * 1024);
  const quota = String(Math.max(SMALLEST_QUOTA_US, Math.round(limits.cpus * CPU_PERIOD_US)));
  if (controller === 'pids') return [{ file: 'pids.max', value: String(limits.processes) }];
  if (version === 2) {
    if (controller === 'cpu') return [{ file: 'cpu.max', value: `${quota} ${CPU_PERIOD_US}` }];
    return [
      { file: 'memory.max', value: bytes },
      { file: 'memory.swap.max', value: '0', optional: true },
      { file: 'memory.oom.group', value: '1', optional: true },
    ];
  }
  if (controller === 'cpu') {
    return [
      { file: 'cpu.cfs_period_us', value: String(CPU_PERIOD_US) },
      { file: 'cpu.cfs_quota_us', value: quota },
    ];
  }
  return [
    { file: 'memory.limit_in_bytes', value: bytes },
    { file: 'memory.memsw.limit_in_bytes', value: bytes, optional: true },
  ];
}

interface LimitFile {
  readonly file: string;
  readonly value: string;
  readonly optional?: boolean;
}

/** Finds where groups can be made by making one; null where none can. Also removes groups of dead owners. */
export function detectCgroups(): CgroupHost | null {
  if (process.platform !== 'linux') return null;
  const host = existsSync('/sys/fs/cgroup/cgroup.controllers') ? findVersion2() : findVersion1();
  return Object.keys(host.parents).length === 0 ? null : host;
}

/** Removes the groups of owners that are dead, all at once; answers the folders of those that resist. */
export async function sweepCgroups(host: CgroupHost): Promise<string[]> {
  const folders = [...new Set(Object.values(host.parents))].flatMap((parent) =>
    readdirSync(parent)
      .filter(ownerIsDead)
      .map((name) => join(parent, name)),
  );
  const results = await Promise.allSettled(folders.map(removeGroup));
  return folders.filter((_, index) => results[index]?.status === 'rejected');
}

/** Makes the group `name` with `limits`. @throws what the kernel says */
export function createCgroup(host: CgroupHost, name: string, limits: SandboxLimits): Cgroup {
  const controllers = CONTROLLERS.filter((controller) => host.parents[controller] !== undefined);
  const folderOf = (controller: Controller) => join(host.parents[controller]!, name);
  for (const controller of controllers) {
    mkdirSync(folderOf(controller), { recursive: true });
    for (const { file, value, optional } of limitFiles(host.version, controller, limits)) {
      const path = join(folderOf(controller), file);
      if (optional !== true || existsSync(path)) writeFileSync(path, value);
    }
  }
  const folders = [...new Set(controllers.map(folderOf))];
  return {
    controllers,
    procsFiles: folders.map((folder) => join(folder, 'cgroup.procs')),
    oomKills: () => (controllers.includes('memory') ? readOomKills(host.version, folderOf('memory')) : 0),
    async remove() {
      for (const folder of folders) await removeGroup(folder);
    },
  };
}

function readOomKills(version: 1 | 2, folder: string): number {
  try {
    const text = readFileSync(join(folder, version === 2 ? 'memory.events' : 'memory.oom_control'), 'utf8');
    return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0);
  } catch {
    return 0; // The group is gone: there is nothing left to end.
  }
}

async function removeGroup(folder: string): Promise<void> {
  const deadline = Date.now() + REMOVE_WITHIN_MS;
  for (;;) {
    try {
      rmdirSync(folder);
      return;
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'ENOENT') return;
      if (code !== 'EBUSY' || Date.now() > deadline)
        throw new RetryableError(`cannot remove cgroup ${folder}`, { cause: error });
    }
    killMembers(folder);
    await delay(5);
  }
}

function killMembers(folder: string): void {
  for (const pid of readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean)) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It ended between the reading and the signal.
    }
  }
}

function findVersion1(): CgroupHost {
  const own = new Map(
    readFileSync('/proc/self/cgroup', 'utf8')
      .split('\n')
      .flatMap((line) => {
        const [, names = '', path = ''] = line.split(':');
        return names.split(',').map((name): [string, string] => [name, path]);
      }),
  );
  const parents: Partial<Record<Controller, string>> = {};
  for (const controller of CONTROLLERS) {
    const mount = version1Mount(controller);
    if (mount === null) continue;
    // Inside a container the path is the host's and does not exist here; its own root is the mount.
    const candidates = [join(mount, own.get(controller) ?? ''), mount];
    const parent = candidates.find((folder) => canMakeGroup(folder, 1, controller));
    if (parent !== undefined) parents[controller] = parent;
  }
  return { version: 1, parents };
}

function version1Mount(controller: Controller): string | null {
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const [left = '', right = ''] = line.split(' - ');
    const [type, , options = ''] = right.split(' ');
    if (type === 'cgroup' && options.split(',').includes(controller)) return left.split(' ')[4] ?? null;
  }
  return null;
}

/**
 * Version 2 forbids groups with controllers below a group that holds processes, except at the top. Root makes
 * them at the top; anybody else needs a delegated group that holds this process alone, which then moves down.
 */
function findVersion2(): CgroupHost {
  const root = '/sys/fs/cgroup';
  const own = join(root, /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1] ?? '');
  for (const parent of new Set([root, own])) {
    enableVersion2(parent);
    const parents: Partial<Record<Controller, string>> = {};
    for (const controller of CONTROLLERS) {
      if (canMakeGroup(parent, 2, controller)) parents[controller] = parent;
    }
    if (parents.memory !== undefined) return { version: 2, parents };
  }
  return { version: 2, parents: {} };
}

function enableVersion2(parent: string): void {
  if (enableControllers(parent) || !existsSync(join(parent, 'cgroup.type'))) return;
  const leaf = join(parent, 'specwright-app');
  try {
    mkdirSync(leaf, { recursive: true });
  } catch {
    return; // Not delegated to us.
  }
  if (!tryWrite(join(leaf, 'cgroup.procs'), String(process.pid))) return;
  if (!enableControllers(parent)) tryWrite(join(parent, 'cgroup.procs'), String(process.pid));
}

/** Whether the memory controller is on below `parent`; the others are welcome. */
function enableControllers(parent: string): boolean {
  const on = CONTROLLERS.filter((name) => tryWrite(join(parent, 'cgroup.subtree_control'), `+${name}`));
  return on.includes('memory');
}

/** Kernel files refuse what is not allowed here; that is the answer to the question, not a failure. */
function tryWrite(path: string, value: string): boolean {
  try {
    writeFileSync(path, value);
    return true;
  } catch {
    return false;
  }
}

function canMakeGroup(parent: string, version: 1 | 2, controller: Controller): boolean {
  const trial = join(parent, `${ownerToken()}trial-${controller}`);
  const limits = { memoryMb: 64, cpus: 1, processes: 8, diskMb: 1 };
  try {
    mkdirSync(trial, { recursive: true });
  } catch {
    return false;
  }
  const written = limitFiles(version, controller, limits)
    .filter((entry) => entry.optional !== true)
    .every(({ file, value }) => tryWrite(join(trial, file), value));
  rmdirSync(trial);
  return written;
}
