import { readdirSync, readFileSync } from 'node:fs';

/** The numbers of programs on this machine that have `word` among their arguments. */
export function programsWith(word: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && argumentsOf(name).includes(word))
    .map(Number);
}

/** Whether a program with `word` among its arguments runs on this machine. */
export function programRuns(word: string): boolean {
  return programsWith(word).length > 0;
}

function argumentsOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return []; // It ended while the list was read.
  }
}
