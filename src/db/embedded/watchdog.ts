import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Binaries } from './binaries.ts';
import type { Identity } from './identity.ts';

/**
 * What the watchdog does at the app's end, unless others still use the server: stop the server `pid` of `data` and
 * remove the folder, if one is named.
 */
export interface WatchdogOrder {
  binaries: Binaries;
  identity: Identity;
  data: string;
  pid: number;
  /** Folder with a file for each process that uses the server, named by its pid. */
  users: string;
  /** The process that is watched. */
  app: number;
  remove: string | undefined;
}

/**
 * Starts a process that stops the database when this one ends, by kill -9 too: it reads a pipe whose other end only
 * this process holds. Returns a function that lets it go and waits until it is gone.
 */
export function startWatchdog(order: WatchdogOrder): () => Promise<void> {
  const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
  const program = fileURLToPath(new URL(`./watchdog-program${extension}`, import.meta.url));
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', program, JSON.stringify(order)],
    {
      detached: true,
      cwd: '/',
      stdio: ['pipe', 'ignore', 'ignore'],
      env: {},
    },
  );
  const gone = new Promise<void>((resolve) => child.on('exit', () => resolve()).on('error', () => resolve()));
  child.unref();
  // A pipe to a child keeps the event loop alive unless told otherwise.
  if (child.stdin instanceof Socket) child.stdin.unref();
  return async () => {
    child.ref();
    child.stdin.end();
    await gone;
  };
}
