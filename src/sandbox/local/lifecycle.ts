/**
 * The life of local sandboxes: create, stop, start, destroy, and ends that nobody asked for.
 *
 * Races:
 * - two lifecycle calls for one sandbox (destroy while create, stop while start) → they take turns (`inTurn`).
 * - the watchdog and the caller end a sandbox at once → whoever sets the state first does; `onEnd` is announced
 *   only from the state `running`, so at most once and never after `stop` or `destroy`.
 * - a program is ended by the memory limit and its caller learns the exit code → limits are checked before the
 *   exit is told, so the reason is out first.
 * - a sandbox is made while the last one is destroyed → `watch` and `unwatch` change one field without waiting.
 */
import { rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import type { Clock } from '../../clock.ts';
import { StaleError, UserError } from '../../errors.ts';
import type { ProbeResult, SandboxEnd, SandboxInstance, SandboxRequest } from '../provider.ts';
import type { Account, Box, Engine, SandboxLog } from './box.ts';
import { guardSocket, makeFolders, removeTree, writeTools } from './folders.ts';
import { endLeftovers, removeLeftovers } from './leftovers.ts';
import { memoryBroken, startWatchdog } from './watchdog.ts';

/** What a stopping process leaves of its clearing up is done by the next one. */
const SWEEP_GRACE_MS = 2_000;

/** The state of one provider. */
export interface Local {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly log: SandboxLog;
  readonly boxes: Map<string, Box>;
  readonly listeners: Array<(id: string, why: SandboxEnd) => void>;
  /** Begins the name of everything this process makes; see owner.ts. */
  readonly token: string;
  prepared: Promise<ProbeResult> | null;
  stopWatchdog: (() => Promise<void>) | null;
  /** The removal of what dead owners left, once it has begun. */
  sweeping: Promise<void>;
  /** Aborted when this process clears up no more. */
  closing: AbortController;
}

/** Makes and enters a sandbox. @throws UserError where none can run, StaleError when the id is taken, RetryableError */
export async function create(local: Local, request: SandboxRequest): Promise<SandboxInstance> {
  const prepared = await prepareOnce(local);
  if (!prepared.ok)
    throw new UserError(`No sandbox can start here: ${prepared.reason}. To fix it: ${prepared.fix}.`);
  const box = await makeBox(local, request);
  watch(local);
  try {
    await inTurn(box, async () => {
      writeTools(box.folders.tools, request.files);
      box.gateway = await request.serveGateway(box.folders.socket);
      guardSocket(box.folders.socket, box.account?.uid ?? null);
      await enter(local, box);
    });
  } catch (error) {
    await destroy(local, box.id);
    throw error;
  }
  return described(box);
}

async function makeBox(local: Local, request: SandboxRequest): Promise<Box> {
  const account = await local.engine.claimAccount();
  try {
    // Nothing waits between this question and the entry, so no second sandbox of this id can come between.
    if (local.boxes.has(request.id)) throw new StaleError(`sandbox ${request.id} exists already`);
    const box = layOut(local, request, account);
    local.boxes.set(box.id, box);
    return box;
  } catch (error) {
    await account?.release();
    throw error;
  }
}

function layOut({ engine, token, clock }: Local, request: SandboxRequest, account: Account | null): Box {
  const name = `${token}${Math.random().toString(36).slice(2, 10)}`;
  const place = {
    base: engine.base,
    name,
    uid: account?.uid ?? null,
    byHostPath: !engine.capabilities.isolated,
  };
  return {
    id: request.id,
    name,
    labels: { ...request.labels },
    limits: request.limits,
    folders: makeFolders(place),
    account,
    cgroup: engine.makeCgroup(name, request.limits),
    disk: { usedBytes: 0, freeBytes: 0, measuredAt: Number.NEGATIVE_INFINITY, costMs: 0 },
    createdAt: clock.now(),
    children: new Set(),
    gateway: null,
    state: 'stopped',
    turn: Promise.resolve(),
  };
}

async function enter(local: Local, box: Box): Promise<void> {
  await local.engine.enter(box, () => {
    if (box.state !== 'running') return;
    box.state = 'gone';
    announce(local, box, (box.cgroup?.oomKills() ?? 0) > 0 ? 'memory' : 'killed');
  });
  box.state = 'running';
}

/** Ends every program and keeps the files. */
export function stop(local: Local, box: Box): Promise<void> {
  return inTurn(box, async () => {
    if (box.state !== 'running') return;
    box.state = 'stopped';
    await local.engine.leave(box);
  });
}

/** Enters a stopped sandbox again. @throws StaleError when it is gone */
export function start(local: Local, box: Box): Promise<void> {
  return inTurn(box, async () => {
    if (box.state === 'gone') throw new StaleError(`sandbox ${box.id} is gone`);
    if (box.state === 'stopped') await enter(local, box);
  });
}

/** Ends every program and removes everything; done already is success. */
export async function destroy(local: Local, id: string): Promise<void> {
  const box = local.boxes.get(id);
  if (box === undefined) return;
  await inTurn(box, async () => {
    if (local.boxes.get(id) !== box) return;
    box.state = 'gone';
    await local.engine.leave(box);
    await box.gateway?.close();
    await box.cgroup?.remove();
    await removeTree(box.folders.base);
    if (box.folders.socketBase !== '') rmSync(box.folders.socketBase, { recursive: true, force: true });
    await box.account?.release();
    local.boxes.delete(id);
  });
  if (local.boxes.size === 0) await unwatch(local);
}

/** Destroys every sandbox of this process. */
export async function close(local: Local): Promise<void> {
  await Promise.all([...local.boxes.keys()].map((id) => destroy(local, id)));
  await unwatch(local);
  await Promise.race([local.sweeping, local.clock.sleep(SWEEP_GRACE_MS, local.closing.signal)]);
  local.closing.abort();
  local.closing = new AbortController();
  await local.engine.close();
  local.prepared = null;
}

/** Removes what dead owners left. One thing that resists never keeps the others. */
export async function sweep(local: Local): Promise<void> {
  await local.sweeping;
  local.sweeping = removing(local, await endAllLeftovers(local));
  await local.sweeping;
}

async function endAllLeftovers({ engine, log }: Local): Promise<string[]> {
  const folders = await endLeftovers(engine.base, log);
  const groups = await engine.sweep();
  if (groups.length > 0) log.warn({ groups }, 'control groups of dead processes could not be removed');
  return folders;
}

function removing({ log, closing }: Local, folders: readonly string[]): Promise<void> {
  if (folders.length > 0) log.info({ folders: folders.length }, 'removing what dead processes left');
  return removeLeftovers(folders, log, closing.signal);
}

/** What all sandboxes share is made once; a refusal is asked again. Leftovers of killed owners are swept. */
export async function prepareOnce(local: Local): Promise<ProbeResult> {
  local.prepared ??= (async () => {
    await mkdir(local.engine.base, {
      recursive: true,
      mode: local.engine.capabilities.isolated ? 0o700 : 0o711,
    });
    // Trees may be large, so the start does not wait for them.
    local.sweeping = removing(local, await endAllLeftovers(local));
    return local.engine.prepare();
  })();
  const current = local.prepared;
  const forget = () => {
    if (local.prepared === current) local.prepared = null;
  };
  const result = await current.catch((error: unknown) => {
    forget();
    throw error;
  });
  if (!result.ok) forget();
  return result;
}

/** Ends the sandbox if it has broken its memory limit, so that the reason is known before the exit code is. */
export async function checkMemory(local: Local, box: Box): Promise<void> {
  if (box.state === 'running' && box.cgroup !== null && memoryBroken(box, null))
    await end(local, box, 'memory');
}

async function end(local: Local, box: Box, why: 'memory' | 'disk'): Promise<void> {
  if (box.state !== 'running') return;
  box.state = 'gone';
  announce(local, box, why);
  await local.engine.leave(box);
}

function announce(local: Local, box: Box, why: SandboxEnd): void {
  local.log.warn({ sandbox: box.id, why }, 'a sandbox ended');
  for (const listener of local.listeners) listener(box.id, why);
}

function watch(local: Local): void {
  local.stopWatchdog ??= startWatchdog({
    clock: local.clock,
    log: local.log,
    boxes: () => [...local.boxes.values()],
    firstPid: local.engine.firstPid,
    end: (box, why) => end(local, box, why),
  });
}

async function unwatch(local: Local): Promise<void> {
  const stopping = local.stopWatchdog;
  local.stopWatchdog = null;
  await stopping?.();
}

/** Lifecycle steps of one sandbox never overlap; a failed one does not hold up the next. */
function inTurn<T>(box: Box, step: () => Promise<T>): Promise<T> {
  const mine = box.turn.then(step, step);
  box.turn = mine.catch(() => {});
  return mine;
}

export function described(box: Box): SandboxInstance {
  return {
    id: box.id,
    externalId: box.name,
    state: box.state,
    labels: box.labels,
    createdAt: box.createdAt,
  };
}
