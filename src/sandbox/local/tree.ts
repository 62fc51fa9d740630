import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessFacts {
  readonly pid: number;
  readonly parent: number;
  readonly uid: number;
  readonly residentKb: number;
}

/** All processes of this Linux machine that can be seen; empty elsewhere. */
export function allProcesses(): ProcessFacts[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => factsOf(Number(name)) ?? []);
}

/** `roots` and everything that descends from them. */
export function descendants(all: readonly ProcessFacts[], roots: readonly number[]): ProcessFacts[] {
  const children = Map.groupBy(all, (entry) => entry.parent);
  const found = all.filter((entry) => roots.includes(entry.pid));
  const seen = new Set(found.map((entry) => entry.pid));
  for (const entry of found) {
    for (const child of children.get(entry.pid) ?? []) {
      if (seen.has(child.pid)) continue;
      seen.add(child.pid);
      found.push(child);
    }
  }
  return found;
}

function factsOf(pid: number): ProcessFacts | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
    return { pid, parent: field('PPid'), uid: field('Uid'), residentKb: field('VmRSS') };
  } catch {
    return null; // It ended while the list was read.
  }
}
