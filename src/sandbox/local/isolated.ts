/**
 * Sandboxes of Linux namespaces.
 *
 * Races: the app is killed while a sandbox is being entered → `setpriv --pdeathsig` ends the outer process, and the
 * first process ends when the pipe from the app closes, whichever comes first. A program starts while the sandbox
 * is being stopped → the kernel refuses to fork in a pid namespace whose first process is gone. The first process
 * ends by itself while `leave` runs → the sandbox is no longer called running, so the end is not reported. Programs
 * were stopped (SIGSTOP) → they are killed all the same, and what has to wait for them is let go on.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { RetryableError, StaleError } from '../../errors.ts';
import type { ProbeResult, SandboxCapabilities } from '../provider.ts';
import type { Box, Engine, Launch } from './box.ts';
import { type CgroupHost, createCgroup, detectCgroups, sweepCgroups } from './cgroups.ts';
import { descriptorCover, type Stdio } from './descriptors.ts';
import { untilReady, writeAccountFiles } from './enter.ts';
import { holdNamespaces } from './namespaces.ts';
import { ownerToken } from './owner.ts';
import { continueGroup, endOf, killPid } from './processes.ts';
import {
  dropAndKeep,
  type HostLayout,
  INSIDE,
  intoMappedUser,
  intoUid,
  MAPPED_UID,
  mountTable,
  unshareArguments,
} from './profile.ts';
import { fileBlocks, openFilesLimit, prlimitPrefix } from './rlimits.ts';
import { ENTER_SCRIPT, ENVIRON_SCRIPT, environLines, JOIN_SCRIPT } from './scripts.ts';
import { buildSkeleton } from './skeleton.ts';
import { findTools, type LoopbackTool, TRUSTED_PATH } from './tools.ts';
import { claimUid, ownUidRange, type UidRange } from './uids.ts';

const LOOK_MS = 20;
const END_WITHIN_MS = 10_000;

interface Machine {
  readonly host: HostLayout;
  readonly loopback: LoopbackTool;
  readonly openFiles: number;
  readonly cover: (stdio: Stdio) => Stdio;
}

/** A sandbox that has been entered: its first process and what is needed to join it. */
interface Entered {
  /** `unshare` on the host: it ends when the first process has, and is ours to reap. */
  readonly outer: ChildProcess;
  /** The first process, by its number on the host. */
  readonly firstPid: number;
  readonly join: readonly string[];
  /** Resolves when every process inside is gone. */
  readonly ended: Promise<void>;
}

interface Context {
  readonly root: string;
  readonly agents: string | null;
  readonly cgroups: CgroupHost | null;
  /** Null where this process has no uids to give: sandboxes then run as a mapped user of its own uid. */
  readonly range: UidRange | null;
  readonly entered: Map<string, Entered>;
  machine: Machine | null;
}

/** The engine of isolated mode. `cgroups: false` leaves every limit to rlimits and the watchdog. */
export function createIsolatedEngine(options: {
  root: string;
  cgroups: boolean;
  agents: string | null;
}): Engine {
  const cgroups = options.cgroups ? detectCgroups() : null;
  const context: Context = {
    root: options.root,
    agents: options.agents,
    cgroups,
    range: ownUidRange(),
    entered: new Map(),
    machine: null,
  };
  return {
    base: options.root,
    capabilities: capabilitiesOf(cgroups),
    prepare: () => prepare(context),
    paths: () => ({
      ...INSIDE,
      node: machineOf(context).host.nodeInside,
      agents: context.agents === null ? null : INSIDE.agents,
    }),
    claimAccount: async () => (context.range === null ? null : claimUid(context.range)),
    makeCgroup: (name, limits) => (cgroups === null ? null : createCgroup(cgroups, name, limits)),
    enter: (box, ended) => enter(context, box, ended),
    leave: (box) => leave(context, box),
    launch: (box, launch) => launchInside(context, box, launch),
    firstPid: (box) => context.entered.get(box.name)?.firstPid ?? null,
    sweep: async () => (cgroups === null ? [] : sweepCgroups(cgroups)),
    async close() {
      if (context.machine !== null) rmSync(context.machine.host.skeleton, { recursive: true, force: true });
      context.machine = null;
    },
  };
}

function capabilitiesOf(cgroups: CgroupHost | null): SandboxCapabilities {
  return {
    isolated: true,
    gatewaySocket: true,
    diesWithOwner: true,
    memoryLimit: true,
    cpuLimit: cgroups?.parents.cpu !== undefined,
    processLimit: true,
    diskLimit: true,
    stopStart: true,
  };
}

async function prepare(context: Context): Promise<ProbeResult> {
  const limits = context.cgroups === null ? 'rlimits' : `cgroups v${context.cgroups.version}`;
  const detail = `namespaces, ${context.range === null ? 'one uid' : 'a uid per sandbox'}, ${limits}`;
  if (context.machine !== null) return { ok: true, isolated: true, detail };
  if (process.platform !== 'linux') {
    return {
      ok: false,
      reason: 'isolated sandboxes need Linux',
      fix: 'run the app on Linux or in a Linux VM',
    };
  }
  const tools = findTools();
  if (!tools.ok) return { ok: false, reason: `not found: ${tools.missing.join(', ')}`, fix: tools.fix };
  const skeleton = join(context.root, `${ownerToken()}skeleton-${Math.random().toString(36).slice(2)}`);
  context.machine ??= {
    host: buildSkeleton(skeleton, { inUserNamespace: context.range === null, agents: context.agents }),
    loopback: tools.loopback,
    openFiles: openFilesLimit(),
    cover: descriptorCover(),
  };
  return { ok: true, isolated: true, detail };
}

function machineOf(context: Context): Machine {
  if (context.machine === null) throw new StaleError('the sandbox provider is not prepared');
  return context.machine;
}

async function enter(context: Context, box: Box, ended: () => void): Promise<void> {
  const { host, loopback } = machineOf(context);
  const uid = box.account?.uid ?? null;
  const table = join(box.folders.base, 'fstab');
  writeFileSync(table, mountTable(host, box.folders, box.limits));
  writeAccountFiles(box.folders.base, uid ?? MAPPED_UID);
  const argv = ['setpriv', '--pdeathsig=KILL', '--', 'unshare', ...unshareArguments(uid)];
  argv.push('/bin/sh', '-c', ENTER_SCRIPT, 'sh', host.skeleton, table, loopback, ...dropAndKeep(uid));
  const outer = startLimited(machineOf(context), box, { argv, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  // The pipe on which the first process waits for our end breaks with it.
  outer.stdio[3]?.on('error', () => {});
  const end = endOf(outer);
  const firstPid = await untilReady(outer, end);
  const hold = holdNamespaces(outer.pid!, firstPid, uid === null);
  const sandbox: Entered = {
    outer,
    firstPid,
    join: hold.arguments,
    ended: end.then(() => {
      hold.close();
      if (context.entered.get(box.name) !== sandbox) return;
      context.entered.delete(box.name);
      ended();
    }),
  };
  context.entered.set(box.name, sandbox);
}

async function leave(context: Context, box: Box): Promise<void> {
  const sandbox = context.entered.get(box.name);
  if (sandbox === undefined) return;
  // Once the outer process has ended, the number may be somebody else's.
  if (sandbox.outer.exitCode === null && sandbox.outer.signalCode === null) killPid(sandbox.firstPid);
  // The kernel lets the first process go when all others inside were waited for, and a program that was stopped waits
  // for nobody: `nsenter` stops itself along with what it entered for.
  const ended = sandbox.ended.then(() => true);
  for (let lookedMs = 0; !(await Promise.race([ended, delay(LOOK_MS, false)])); lookedMs += LOOK_MS) {
    if (lookedMs > END_WITHIN_MS) throw new RetryableError('the first process of a sandbox does not end');
    for (const child of [sandbox.outer, ...box.children]) continueGroup(child);
  }
}

function launchInside(context: Context, box: Box, launch: Launch): ChildProcess {
  const sandbox = context.entered.get(box.name);
  if (sandbox === undefined) throw new StaleError('the sandbox is not running');
  const uid = box.account?.uid ?? null;
  const argv = ['nsenter', ...sandbox.join, ...(uid === null ? intoMappedUser() : intoUid(uid))];
  argv.push('/bin/sh', '-c', ENVIRON_SCRIPT, 'sh', launch.cwd, ...launch.argv);
  const stdin = launch.stdin === undefined ? 'ignore' : 'pipe';
  const child = startLimited(machineOf(context), box, { argv, stdio: [stdin, 'pipe', 'pipe', 'pipe'] });
  const environ = child.stdio[3] as NodeJS.WritableStream;
  // A program that could not be started has closed its end of the pipe; its exit code tells.
  environ.on('error', () => {});
  environ.end(environLines(launch.env));
  return child;
}

/** Starts `argv` on the host under the sandbox's limits: it is in the cgroup before it does anything. */
function startLimited(
  { cover, openFiles }: Machine,
  box: Box,
  { argv, stdio }: { argv: readonly string[]; stdio: Stdio },
): ChildProcess {
  const controllers = box.cgroup?.controllers ?? [];
  const bounded = {
    memory: controllers.includes('memory'),
    processes: controllers.includes('pids'),
    files: true,
  };
  const files = box.cgroup?.procsFiles ?? [];
  const numbers = [openFiles, fileBlocks(box.limits), files.length].map(String);
  const rest = [...numbers, ...files, ...prlimitPrefix(box.limits, bounded), ...argv];
  return spawn('/bin/sh', ['-c', JOIN_SCRIPT, 'sh', ...rest], {
    stdio: cover(stdio),
    // The sandbox's environment comes later: nothing of it may reach a program that still has powers.
    env: { PATH: TRUSTED_PATH },
    cwd: '/',
    detached: true,
  });
}
