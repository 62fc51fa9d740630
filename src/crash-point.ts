/**
 * Named moments at which a test kills this process, to show that what was promised holds whenever it dies.
 *
 * Why it may ship: nothing happens unless CRASH_POINTS named a folder when the process started, and then only what
 * whoever sets a process's environment can do to it anyway, end it. Unarmed, a point is one comparison with a constant.
 * It is no setting: it is in no list of variables, and no request, row or repository can reach it.
 */
import { appendFileSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Every point, in the order in which a spec comes by. A name says what has just happened, or what comes next. */
export const crashPoints = [
  'migrate.before-commit',
  'ingress.verified',
  'ingress.before-commit',
  'ingress.committed',
  'ingress.before-ack',
  'inbox.routed',
  'inbox.claimed',
  'inbox.gathered',
  'inbox.before-commit',
  'inbox.decided',
  'job.taken',
  'job.before-finish',
  'advance.before-commit',
  'advance.committed',
  'effect.before-call',
  'effect.before-create',
  'effect.after-call',
  'effect.before-commit',
  'effect.recorded',
  'branch.made',
  'branch.moved',
  'pull.made',
  'ref.deleted',
  'status.before-call',
  'status.after-call',
  'status.recorded',
  'sandbox.row-written',
  'sandbox.created',
  'sandbox.before-launch',
  'sandbox.launched',
  'sandbox.fenced',
  'sandbox.before-destroy',
  'sandbox.destroyed',
  'gateway.step-given',
  'gateway.events-stored',
  'gateway.result-before-commit',
  'gateway.result-committed',
  'token.minted',
  'token.before-revoke',
  'push.intended',
  'push.forwarded',
  'push.settled',
  'sweep.mid-pass',
  'orphans.written-off',
  'shutdown.mid-drain',
  'shutdown.fenced',
] as const;
export type CrashPoint = (typeof crashPoints)[number];

/** Read once: a running process can't be armed. */
const FOLDER = process.env.CRASH_POINTS ?? '';

/** In the folder: what was passed by, one "pid point" a line. */
const TRACE = 'trace';
/** In the folder: the point at which the next process to come by dies. */
const ARMED = 'armed';

/** Does nothing, or ends this process as `kill -9` would, before this call returns. */
export function crashPoint(name: CrashPoint): void {
  if (FOLDER !== '') pass(name);
}

function pass(name: CrashPoint): void {
  appendFileSync(join(FOLDER, TRACE), `${process.pid} ${name}\n`);
  const armed = join(FOLDER, ARMED);
  if (readOr(armed, '') !== name) return;
  // Taken away first, so that the next process lives.
  rmSync(armed, { force: true });
  process.kill(process.pid, 'SIGKILL');
}

function readOr(file: string, fallback: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return fallback;
  }
}
