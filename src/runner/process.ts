/**
 * Runs one child in a process group of its own.
 *
 * Races
 * - The leader ends but a descendant holds its output open → the group is killed when the leader ends, and what
 *   escaped the group by a session of its own gets one second before the pipes are closed; it can't hang a step.
 * - Timeout and natural end at once → `timedOut` is set only by the timer, the exit is awaited either way.
 * - Stop arrives before the spawn → nothing is started and the code is 143.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';

export interface ProcessRequest {
  readonly argv: readonly string[];
  readonly cwd: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly stdin?: string | null;
  readonly timeoutMs: number;
  /** Kills the group at once. */
  readonly stopped: AbortSignal;
  onOutput?(stream: 'stdout' | 'stderr', text: string): void;
}

export interface ProcessEnd {
  /** Exit code; 128 + signal number when a signal ended it; 127 when it could not be started. */
  readonly code: number;
  readonly timedOut: boolean;
  /** Why the program could not be started, or null. */
  readonly startError: string | null;
}

/** Between asking a group to end and killing it, milliseconds. */
const GRACE_MS = 2_000;
/** How long open pipes are awaited after the leader's end, milliseconds. */
const PIPES_MS = 1_000;

/** Starts a program and waits for its end. Never throws: a program that cannot be started is a result. */
export function runProcess(request: ProcessRequest): Promise<ProcessEnd> {
  if (request.stopped.aborted) return Promise.resolve({ code: 143, timedOut: false, startError: null });
  const [command = '', ...args] = request.argv;
  const child = spawn(command, args, {
    cwd: request.cwd,
    env: { ...request.env },
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  feed(child, request.stdin ?? '');
  listen(child, request);
  return awaitEnd(child, request);
}

function feed(child: ChildProcess, text: string): void {
  // A child that does not read its input closes it early; that is its own affair.
  child.stdin?.on('error', () => {});
  child.stdin?.end(text);
}

function listen(child: ChildProcess, request: ProcessRequest): void {
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => request.onOutput?.(name, text));
  }
}

function awaitEnd(child: ChildProcess, request: ProcessRequest): Promise<ProcessEnd> {
  return new Promise((resolve) => {
    let timedOut = false;
    let killTimer: NodeJS.Timeout | undefined;
    const timeout = setTimeout(() => {
      timedOut = true;
      signalGroup(child, 'SIGTERM');
      killTimer = setTimeout(() => signalGroup(child, 'SIGKILL'), GRACE_MS);
    }, request.timeoutMs);
    const stop = (): void => signalGroup(child, 'SIGKILL');
    request.stopped.addEventListener('abort', stop);
    const finish = (end: ProcessEnd): void => {
      clearTimeout(timeout);
      clearTimeout(killTimer);
      request.stopped.removeEventListener('abort', stop);
      resolve(end);
    };
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (child.pid === undefined) finish({ code: 127, timedOut, startError: startErrorOf(error) });
    });
    child.once('exit', (code, signal) => {
      signalGroup(child, 'SIGKILL');
      const end = { code: code ?? 128 + (signal ? constants.signals[signal] : 0), startError: null };
      const pipes = setTimeout(() => closePipes(child), PIPES_MS);
      child.once('close', () => {
        clearTimeout(pipes);
        finish({ ...end, timedOut });
      });
    });
  });
}

function closePipes(child: ChildProcess): void {
  child.stdout?.destroy();
  child.stderr?.destroy();
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    // The whole group has ended already, which is what was asked for; EPERM is macOS's word for a zombie group.
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}

function startErrorOf(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return 'the program (or its working folder) does not exist';
  if (error.code === 'EACCES') return 'the program may not be executed';
  return `the program could not be started (${error.code ?? 'unknown'})`;
}
