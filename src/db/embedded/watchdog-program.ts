// Outlives the app by a moment: when the pipe to the app closes, for whatever reason, the database goes too.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from './postmaster.ts';
import type { WatchdogOrder } from './watchdog.ts';

const order = JSON.parse(process.argv[2] ?? '') as WatchdogOrder;

process.stdin.resume().on('close', () => {
  rmSync(join(order.users, String(order.app)), { force: true });
  if (othersLeft()) return;
  if (runs()) {
    const { uid, gid } = order.identity;
    execFileSync(order.binaries.pgCtl, ['stop', '-D', order.data, '-m', 'immediate', '-t', '10'], {
      uid,
      gid,
      cwd: '/',
    });
  }
  if (order.remove) rmSync(order.remove, { recursive: true, force: true });
});

function runs(): boolean {
  try {
    return Number(readFileSync(join(order.data, 'postmaster.pid'), 'utf8').split('\n')[0]) === order.pid;
  } catch {
    return false;
  }
}

function othersLeft(): boolean {
  try {
    return readdirSync(order.users).some((name) => isAlive(Number(name)));
  } catch {
    return false;
  }
}
