/**
 * The operator's explicit unsafe mode: programs are plain child processes with a clean environment, in process
 * groups of their own; under a uid of their own where the app is root. They see the machine and its network.
 *
 * Races: a program leaves its process group while it is being ended → where the sandbox has its own uid all of
 * that uid's processes are ended until none is left; elsewhere the tree is walked once, and what has detached
 * itself stays. That is one of the reasons why this mode is called unsafe.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, lstatSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { FatalError, RetryableError, StaleError } from '../../errors.ts';
import type { SandboxPaths } from '../provider.ts';
import type { Box, Engine, Launch } from './box.ts';
import { reachableByAll } from './folders.ts';
import { killGroup, killPid } from './processes.ts';
import { programFolder } from './programs.ts';
import { prlimitPrefix } from './rlimits.ts';
import { hasTool } from './tools.ts';
import { allProcesses, descendants } from './tree.ts';
import { claimUid, ownUidRange, type UidRange } from './uids.ts';
import { startWarden, type Warden } from './warden.ts';

const END_WITHIN_MS = 5_000;

interface Context {
  readonly range: UidRange | null;
  readonly setpriv: boolean;
  readonly prlimit: boolean;
  /** Sandboxes that were entered, each with what ends its programs when we are killed. */
  readonly running: Map<string, Warden | null>;
}

/** The engine of unsafe mode. */
export function createUnsafeEngine(options: { root: string; agents: string | null }): Engine {
  const range = usableRange();
  const linux = process.platform === 'linux';
  const context: Context = {
    range,
    setpriv: linux && hasTool('setpriv'),
    prlimit: linux && hasTool('prlimit'),
    running: new Map(),
  };
  return {
    base: range === null || reachableByAll(options.root) ? options.root : sharedBase(),
    capabilities: {
      isolated: false,
      gatewaySocket: true,
      diesWithOwner: true,
      memoryLimit: linux,
      cpuLimit: false,
      processLimit: range !== null && context.prlimit,
      diskLimit: process.platform !== 'win32',
      stopStart: true,
    },
    async prepare() {
      const how = range === null ? "the app's own uid" : 'a uid per sandbox';
      return { ok: true, isolated: false, detail: `UNSAFE: plain processes with ${how}, no isolation` };
    },
    paths: (box) => pathsOf(box, options.agents),
    claimAccount: async () => (range === null ? null : claimUid(range)),
    makeCgroup: () => null,
    async enter(box) {
      context.running.set(box.name, wardenOf(context, box));
    },
    async leave(box) {
      const warden = context.running.get(box.name);
      context.running.delete(box.name);
      await warden?.dismiss();
      await endAll(box);
    },
    launch: (box, launch) => start(context, box, launch),
    firstPid: () => null,
    sweep: async () => [],
    async close() {},
  };
}

function wardenOf({ setpriv }: Context, box: Box): Warden | null {
  if (!setpriv) return null;
  const uid = box.account?.uid;
  return startWarden(uid === undefined ? { folder: box.folders.base } : { uid });
}

function pathsOf(box: Box, agents: string | null): SandboxPaths {
  const { workspace, home, tools, socket } = box.folders;
  return {
    workspace,
    home,
    tools,
    node: process.execPath,
    agents: agents === null ? null : programFolder(agents),
    gatewaySocket: socket,
  };
}

/** A uid of its own is of use only if that uid can run Node, which may lie in a private folder. */
function usableRange(): UidRange | null {
  const range = ownUidRange();
  if (range === null) return null;
  const trial = spawnSync(process.execPath, ['-e', '0'], {
    uid: range.first,
    gid: range.first,
    env: {},
    cwd: '/',
  });
  return trial.status === 0 ? range : null;
}

/** Where sandboxes lie when the operator's folder is closed to other uids. */
function sharedBase(): string {
  const base = join(tmpdir(), 'specwright-sandboxes');
  mkdirSync(base, { recursive: true, mode: 0o711 });
  const info = lstatSync(base);
  if (!info.isDirectory() || info.uid !== process.getuid?.())
    throw new FatalError(`${base} is not ours; remove it`);
  chmodSync(base, 0o711);
  return base;
}

function start(context: Context, box: Box, launch: Launch): ChildProcess {
  if (!context.running.has(box.name)) throw new StaleError('the sandbox is not running');
  const uid = box.account?.uid;
  // Without a uid of its own the process limit would count everything the app's user runs.
  const bounded = { memory: false, processes: uid === undefined, files: false };
  const limits = context.prlimit ? prlimitPrefix(box.limits, bounded) : [];
  const dies = context.setpriv ? ['/usr/bin/setpriv', '--pdeathsig=KILL', '--no-new-privs', '--'] : [];
  const [file = '', ...rest] = [...dies, ...limits, ...launch.argv];
  return spawn(file, rest, {
    cwd: launch.cwd,
    env: { ...launch.env },
    stdio: [launch.stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
    windowsHide: true,
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
}

async function endAll(box: Box): Promise<void> {
  const roots = [...box.children].flatMap((child) => child.pid ?? []);
  const tree = descendants(allProcesses(), roots);
  for (const child of box.children) endTree(child);
  for (const { pid } of tree) killPid(pid);
  const uid = box.account?.uid;
  if (uid === undefined) return;
  const deadline = Date.now() + END_WITHIN_MS;
  for (;;) {
    const left = allProcesses().filter((entry) => entry.uid === uid);
    if (left.length === 0) return;
    if (Date.now() > deadline) throw new RetryableError(`${left.length} processes of a sandbox do not end`);
    for (const { pid } of left) killPid(pid);
    await delay(10);
  }
}

function endTree(child: ChildProcess): void {
  if (process.platform === 'win32' && child.pid !== undefined) {
    spawnSync('taskkill', ['/pid', String(child.pid), '/T', '/F']);
  } else killGroup(child);
}
