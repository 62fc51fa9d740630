/**
 * The `local` provider: sandboxes on this machine, made of Linux namespaces, or, in the operator's explicit unsafe
 * mode, plain processes. It never falls back from the one to the other by itself. Races: see local/lifecycle.ts
 * and local/isolated.ts.
 */
import { realpathSync } from 'node:fs';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { type Clock, systemClock } from '../clock.ts';
import { messageOf, StaleError } from '../errors.ts';
import type { Box, SandboxLog } from './local/box.ts';
import { fixFor, kernelSettings } from './local/explain.ts';
import { createIsolatedEngine } from './local/isolated.ts';
import * as life from './local/lifecycle.ts';
import { ownerToken } from './local/owner.ts';
import { canRun } from './local/programs.ts';
import { createRunner, type Runner } from './local/run.ts';
import * as transfer from './local/transfer.ts';
import { createUnsafeEngine } from './local/unsafe.ts';
import type { ProbeResult, SandboxProvider } from './provider.ts';

export type { SandboxLog } from './local/box.ts';

export interface LocalOptions {
  /** Folder for the sandboxes' files. May be long: sockets go to a short folder of their own. */
  readonly root: string;
  /** Plain processes without isolation; only ever on the operator's explicit word. */
  readonly unsafe: boolean;
  readonly log?: SandboxLog;
  /** False leaves every limit to rlimits and the watchdog. Default true. */
  readonly cgroups?: boolean;
  readonly clock?: Clock;
  /** A folder in which agents' command lines were installed with npm, shown to sandboxes read-only. */
  readonly agents?: string | null;
}

const SILENT: SandboxLog = { info: () => {}, warn: () => {} };
const TRANSFER_WITHIN_MS = 60_000;
const TRIAL_LIMITS = { memoryMb: 512, cpus: 1, processes: 64, diskMb: 64 };
const TRIAL_WITHIN_MS = 15_000;

/** The provider of sandboxes on this machine; they live and die with this process. */
export function createLocalProvider(options: LocalOptions): SandboxProvider {
  const root = resolve(options.root);
  const agents = options.agents ? realpathSync(options.agents) : null;
  const engine = options.unsafe
    ? createUnsafeEngine({ root, agents })
    : createIsolatedEngine({ root, agents, cgroups: options.cgroups ?? true });
  const local: life.Local = {
    engine,
    clock: options.clock ?? systemClock,
    log: options.log ?? SILENT,
    boxes: new Map(),
    listeners: [],
    token: ownerToken(),
    prepared: null,
    stopWatchdog: null,
    sweeping: Promise.resolve(),
    closing: new AbortController(),
  };
  const runner = createRunner({ engine, checkLimits: (box) => life.checkMemory(local, box) });
  const box = (id: string) => boxOf(local, id);
  return {
    name: 'local',
    capabilities: engine.capabilities,
    probe: () => probe(local, runner),
    create: (request) => life.create(local, request),
    async get(id) {
      const found = local.boxes.get(id);
      return found === undefined ? null : life.described(found);
    },
    async *list(labels) {
      for (const entry of local.boxes.values()) if (carries(entry, labels)) yield life.described(entry);
    },
    paths: (id) => engine.paths(box(id)),
    hasProgram: async (name) => canRun(name, { agents, isolated: engine.capabilities.isolated }),
    exec: async (id, command) => runner.exec(box(id), command),
    spawn: async (id, command) => runner.spawn(box(id), command),
    upload: async (id, path, content) => upload(local, runner, { box: box(id), path, content }),
    download: async (id, path) => download(local, runner, { box: box(id), path }),
    stop: async (id) => life.stop(local, box(id)),
    start: async (id) => life.start(local, box(id)),
    // Nothing here ends for want of use.
    keepAlive: async (id) => void box(id),
    destroy: (id) => life.destroy(local, id),
    sweep: () => life.sweep(local),
    onEnd: (listener) => void local.listeners.push(listener),
    close: () => life.close(local),
  };
}

/** Makes a sandbox, runs Node in it and destroys it: what works here works later. */
async function probe(local: life.Local, runner: Runner): Promise<ProbeResult> {
  const id = `probe-${Math.random().toString(36).slice(2)}`;
  try {
    const prepared = await life.prepareOnce(local);
    if (!prepared.ok) return prepared;
    await life.create(local, { id, labels: {}, limits: TRIAL_LIMITS, files: [], serveGateway: serveNothing });
    const box = boxOf(local, id);
    const argv = [local.engine.paths(box).node, '-e', '0'];
    const { code, stderr } = await runner.exec(box, { argv, timeoutMs: TRIAL_WITHIN_MS });
    return code === 0 ? prepared : refusal(`a trial program ended with ${code}: ${stderr.trim()}`);
  } catch (error) {
    return refusal(messageOf(error));
  } finally {
    await life.destroy(local, id);
  }
}

function refusal(reason: string): ProbeResult {
  return { ok: false, reason, fix: fixFor(reason, process.getuid?.() === 0, kernelSettings()) };
}

function serveNothing(path: string): Promise<{ close(): Promise<void> }> {
  return new Promise((ready, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', reject);
    server.listen(path, () => ready({ close: () => new Promise((done) => server.close(() => done())) }));
  });
}

function upload(
  local: life.Local,
  runner: Runner,
  file: { box: Box; path: string; content: Uint8Array | string },
): Promise<void> {
  const where = local.engine.paths(file.box);
  if (process.platform === 'win32') return transfer.uploadDirectly(where, file);
  return transfer.uploadInside(insideOf(runner, file.box), where, file);
}

function download(local: life.Local, runner: Runner, file: { box: Box; path: string }): Promise<Buffer> {
  const where = local.engine.paths(file.box);
  if (process.platform === 'win32') return transfer.downloadDirectly(where, file.path);
  return transfer.downloadInside(insideOf(runner, file.box), where, file.path);
}

function insideOf(runner: Runner, box: Box): transfer.RunInside {
  const env = { PATH: '/usr/bin:/bin' };
  return (argv, stdin) =>
    runner.bytes(
      box,
      { argv, env, cwd: '/', timeoutMs: TRANSFER_WITHIN_MS, ...(stdin === undefined ? {} : { stdin }) },
      transfer.LARGEST_DOWNLOAD + 1,
    );
}

function boxOf(local: life.Local, id: string): Box {
  const box = local.boxes.get(id);
  if (box === undefined) throw new StaleError(`there is no sandbox ${id}`);
  return box;
}

function carries(box: Box, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(labels).every(([name, value]) => box.labels[name] === value);
}
