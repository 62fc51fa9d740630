import { openSync, readdirSync, readFileSync } from 'node:fs';

const CLOSE_ON_EXEC = 0o2000000;

/** How the first descriptors of a child are set up. */
export type Stdio = Array<'pipe' | 'ignore' | number>;

/**
 * Returns a function that completes a `stdio` array so that a child gets nothing but what is in it. Node opens
 * its own descriptors so that children do not get them, but what the app was started with would be handed on,
 * and an open folder of the host would be a way out of a sandbox: /dev/null takes the place of each.
 */
export function descriptorCover(): (stdio: Stdio) => Stdio {
  const inherited = inheritedDescriptors();
  if (inherited.length === 0) return (stdio) => stdio;
  const nothing = openSync('/dev/null', 'r');
  return (stdio) => {
    const full: Stdio = [...stdio];
    for (const fd of inherited.filter((number) => number >= stdio.length)) full[fd] = nothing;
    return Array.from(full, (entry) => entry ?? 'ignore');
  };
}

/** Descriptors above 2 that stay open in children. */
export function inheritedDescriptors(): number[] {
  return readdirSync('/proc/self/fdinfo')
    .map(Number)
    .filter((fd) => fd > 2 && !closesOnExec(fd));
}

function closesOnExec(fd: number): boolean {
  try {
    const flags = /^flags:\s+(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '0';
    return (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) !== 0;
  } catch {
    return true; // Closed since the folder was read: it was the reading's own.
  }
}
