/**
 * Who made a sandbox folder or cgroup: the token is part of its name, so there is no moment in which a thing
 * exists without an owner.
 *
 * Races: two apps sweep at once → both remove the same dead things → removal ignores what is gone already.
 * A killed owner that its parent has not waited for yet → it is still listed, as a zombie, and counts as dead.
 * A pid is used again → the start time differs, so the owner counts as dead. The owner lives in another pid
 * namespace (a second container with the same folder) → it cannot be seen from here, so its things are kept.
 */
import { readFileSync, readlinkSync } from 'node:fs';

interface OwnerFacts {
  readonly pid: number;
  readonly started: string;
  readonly pidSpace: string;
  readonly boot: string;
}

const PATTERN = /^o(\d+)-(\w+)-(\w+)-(\w+)-/;

/** A token that names this process among all of this machine's past and present ones; it ends in a dash. */
export function ownerToken(): string {
  return tokenOf({
    pid: process.pid,
    started: startTime(process.pid) ?? '0',
    pidSpace: pidSpace(),
    boot: bootId(),
  });
}

/** Whether `name` starts with the token of a process that is certainly dead; false for names without a token. */
export function ownerIsDead(name: string): boolean {
  const match = PATTERN.exec(name);
  if (match === null) return false;
  const [, pid, started, space, boot] = match;
  if (boot !== bootId()) return true;
  if (space !== pidSpace()) return false;
  return process.platform === 'linux' ? startTime(Number(pid)) !== started : !isAlive(Number(pid));
}

function tokenOf(facts: OwnerFacts): string {
  return `o${facts.pid}-${facts.started}-${facts.pidSpace}-${facts.boot}-`;
}

/** Clock ticks since boot at which the process started, or null when there is none or it has ended. */
function startTime(pid: number): string | null {
  const stat = readOr(`/proc/${pid}/stat`, '');
  // The program's name is in parentheses and may hold anything, so fields are counted from the last one.
  const [state = '', ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return /^[ZX]$/.test(state) ? null : (fields[18] ?? null);
}

function pidSpace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid').replace(/\D/g, '');
  } catch {
    return '0'; // Not Linux: there is one pid space.
  }
}

function bootId(): string {
  return readOr('/proc/sys/kernel/random/boot_id', '0').trim().slice(0, 8);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function readOr(path: string, fallback: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return fallback;
  }
}
