// Race ledger
// - two readers at once: requests are answered by git in the order they were written, and `waiting` keeps that order.
// - a write while a read is under way: objects never change; a ref is read anew for each request.
// - git dies: all waiting reads are rejected, and the next read starts a new process.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { gitEnvironment } from './run.ts';

export interface GitObject {
  readonly sha: string;
  readonly type: 'blob' | 'tree' | 'commit' | 'tag';
  readonly content: Buffer;
}

interface Waiting {
  resolve(object: GitObject | null): void;
  reject(error: Error): void;
}

export interface ObjectReader {
  /** Reads an object by sha, full ref name or `<sha>^{commit}`; null where there is none. */
  read(name: string): Promise<GitObject | null>;
  close(): void;
}

/** Opens a reader on one long-lived `git cat-file`, which starts with the first read. */
export function openReader(dir: string): ObjectReader {
  const waiting: Waiting[] = [];
  let child: ChildProcessWithoutNullStreams | null = null;
  let pending: Buffer[] = [];

  function fail(): void {
    child = null;
    pending = [];
    for (const one of waiting.splice(0)) one.reject(new Error('git cat-file ended'));
  }

  function drain(chunk: Buffer): void {
    pending.push(chunk);
    let buffer = pending.length === 1 ? chunk : Buffer.concat(pending);
    for (;;) {
      const answer = takeAnswer(buffer);
      if (!answer) break;
      waiting.shift()?.resolve(answer.object);
      buffer = answer.rest;
    }
    pending = buffer.length > 0 ? [buffer] : [];
  }

  function start(): ChildProcessWithoutNullStreams {
    const started = spawn('git', ['cat-file', '--batch'], {
      cwd: dir,
      env: { ...gitEnvironment(), GIT_DIR: dir },
    });
    started.stdout.on('data', drain);
    started.stdin.on('error', () => undefined); // the end of the process is reported by 'close'
    started.on('error', fail);
    started.on('close', () => started === child && fail());
    return started;
  }

  return {
    read(name) {
      if (/[\n\0]/.test(name) || name === '') return Promise.resolve(null);
      child ??= start();
      const stdin = child.stdin;
      return new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        stdin.write(`${name}\n`);
      });
    },
    close() {
      child?.stdin.end();
    },
  };
}

/** Cuts the first complete answer off what git has written so far. */
function takeAnswer(buffer: Buffer): { object: GitObject | null; rest: Buffer } | null {
  const end = buffer.indexOf(10);
  if (end < 0) return null;
  const header = buffer.toString('utf8', 0, end);
  const match = /^([0-9a-f]{40}) (blob|tree|commit|tag) (\d+)$/.exec(header);
  if (!match) return { object: null, rest: buffer.subarray(end + 1) }; // "<name> missing" or "<name> ambiguous"
  const size = Number(match[3]);
  const after = end + 1 + size + 1;
  if (buffer.length < after) return null;
  const content = Buffer.from(buffer.subarray(end + 1, end + 1 + size));
  return {
    object: { sha: match[1]!, type: match[2] as GitObject['type'], content },
    rest: buffer.subarray(after),
  };
}
