/**
 * Programs in sandboxes: output, end, kill.
 *
 * Races: a grandchild keeps the output pipes open after the program ended → reading stops DRAIN_MS after the
 * end. kill() meets a program that has just ended → the signal finds nobody, which is success. Output comes
 * before the caller listens → it is kept until the first listener is there.
 */
import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { RetryableError } from '../../errors.ts';
import type { SandboxProcess } from '../provider.ts';

const DRAIN_MS = 200;
/** What a shell answers for a program that is not there or may not be run. */
const START_ERRORS: Readonly<Record<string, number>> = { ENOENT: 127, ENOTDIR: 127, EACCES: 126 };

export type OutputStream = 'stdout' | 'stderr';

/**
 * How a child ended: its code, or 128 and the signal's number. Resolves when its output has been read too.
 * @throws RetryableError when the machine has no process to spare
 */
export function endOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (child.pid !== undefined) return;
      const code = START_ERRORS[error.code ?? ''];
      if (code === undefined) reject(new RetryableError(`no process: ${error.message}`, { cause: error }));
      else resolve(code);
    });
    child.once('close', (code, signal) => resolve(codeOf(code, signal)));
    child.once('exit', () => {
      const timer = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, DRAIN_MS);
      child.once('close', () => clearTimeout(timer));
    });
  });
}

/** Ends a child and its process group at once. */
export function killGroup(child: ChildProcess): void {
  signalGroup(child, 'SIGKILL');
}

/** Lets a child that somebody has stopped go on: a stopped one never learns that what it waits for has ended. */
export function continueGroup(child: ChildProcess): void {
  signalGroup(child, 'SIGCONT');
}

function signalGroup(child: ChildProcess, signal: 'SIGKILL' | 'SIGCONT'): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    if (process.platform === 'win32') child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The first `cap` bytes of a stream; what comes after is read and dropped, so that the program never blocks. */
export function collect(stream: Readable | null, cap: number): { bytes(): Buffer; readonly cut: boolean } {
  const chunks: Buffer[] = [];
  let length = 0;
  let cut = false;
  stream?.on('data', (chunk: Buffer) => {
    const room = cap - length;
    if (chunk.length > room) cut = true;
    if (room > 0) chunks.push(chunk.subarray(0, room));
    length += Math.min(chunk.length, Math.max(0, room));
  });
  return {
    bytes: () => Buffer.concat(chunks),
    get cut() {
      return cut;
    },
  };
}

/** A running child as the provider's callers see it; `exited` is what `end` resolves to. */
export function asProcess(child: ChildProcess, end: Promise<number>): SandboxProcess {
  const listeners: Array<(stream: OutputStream, text: string) => void> = [];
  let early: Array<readonly [OutputStream, string]> = [];
  function publish(stream: OutputStream, text: string): void {
    if (text === '') return;
    if (listeners.length === 0) early.push([stream, text]);
    for (const listener of listeners) listener(stream, text);
  }
  for (const stream of ['stdout', 'stderr'] as const) {
    const decoder = new StringDecoder('utf8');
    child[stream]?.on('data', (chunk: Buffer) => publish(stream, decoder.write(chunk)));
    child[stream]?.once('end', () => publish(stream, decoder.end()));
  }
  return {
    onOutput(listener) {
      listeners.push(listener);
      const kept = early;
      early = [];
      for (const [stream, text] of kept) listener(stream, text);
    },
    exited: end.then((code) => ({ code })),
    async kill() {
      killGroup(child);
      await end;
    },
  };
}

function codeOf(code: number | null, signal: NodeJS.Signals | null): number {
  if (code !== null) return code;
  return 128 + (signal === null ? 0 : constants.signals[signal]);
}

/** Ends one process by its number; it may be gone already. */
export function killPid(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
