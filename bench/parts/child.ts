/** Child processes of a measurement: started, awaited, asked for their memory, and never left behind. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Child {
  readonly pid: number;
  /** What `ready` found in the child's output. */
  readonly found: string;
  /** Milliseconds from the spawn until that was there. */
  readonly readyMs: number;
  stop(): Promise<void>;
}

export interface ChildOptions {
  /** Path of the program, from the project's folder, or absolute. */
  readonly program: string;
  /** For Node itself. */
  readonly flags?: readonly string[];
  readonly args?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Its first group is what `found` answers. */
  readonly ready: RegExp;
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const START_MS = 60_000;
const STOP_MS = 15_000;

/** Starts a Node program and waits until it says that it is ready. @throws Error with its output if it does not */
export async function startChild(options: ChildOptions): Promise<Child> {
  const started = performance.now();
  const child = spawnNode(options);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  // If this process ends first, nothing of it may stay.
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  const stop = async () => {
    child.kill('SIGTERM');
    const timer = setTimeout(end, STOP_MS);
    await exited;
    clearTimeout(timer);
    process.off('exit', end);
  };
  try {
    const found = await awaitReady(child, options);
    return { pid: child.pid!, found, readyMs: performance.now() - started, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function spawnNode({ program, flags = [], args = [], env }: ChildOptions): ChildProcess {
  const path = resolve(ROOT, program);
  return spawn(process.execPath, [...flags, path, ...args], {
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function awaitReady(child: ChildProcess, { program, ready }: ChildOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const failed = (why: string) => reject(new Error(`${program} ${why}: ${text.slice(-2000)}`));
    const timer = setTimeout(() => failed('was not ready in time'), START_MS);
    const onExit = (code: number | null) => failed(`ended with ${code}`);
    child.once('exit', onExit);
    const read = (chunk: Buffer) => {
      text += chunk.toString();
      const found = ready.exec(text);
      if (!found) return;
      clearTimeout(timer);
      child.off('exit', onExit);
      for (const stream of [child.stdout!, child.stderr!]) stream.off('data', read).resume();
      resolve(found[1] ?? '');
    };
    for (const stream of [child.stdout!, child.stderr!]) stream.on('data', read);
  });
}

/** Runs a Node program to its end and answers what it printed. @throws Error if it fails */
export async function runChild(options: Omit<ChildOptions, 'ready'>): Promise<string> {
  const child = spawnNode({ ...options, ready: /^$/ });
  let out = '';
  let errors = '';
  child.stdout!.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr!.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`${options.program} ended with ${String(code)}: ${errors.slice(-2000)}`);
  return out;
}

/** Resident memory of a process now, in MiB. */
export async function residentMib(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}
