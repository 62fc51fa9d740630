import { closeSync, constants, openSync } from 'node:fs';

const KINDS = ['mnt', 'pid', 'net', 'ipc', 'uts', 'cgroup'] as const;

export interface NamespaceHold {
  /** What `nsenter` needs to join. */
  readonly arguments: readonly string[];
  close(): void;
}

/**
 * Opens the namespaces of the first process `firstPid` (and, where `ownUser`, the user namespace of its parent).
 * They are held open, so a process number that is used again can never lead a program somewhere else: once the
 * first process is gone, the kernel starts nothing in its pid namespace.
 */
export function holdNamespaces(outerPid: number, firstPid: number, ownUser: boolean): NamespaceHold {
  const opened: number[] = [];
  function open(path: string, flags: number = constants.O_RDONLY): string {
    const fd = openSync(path, flags);
    opened.push(fd);
    return `/proc/${process.pid}/fd/${fd}`;
  }
  function close(): void {
    for (const fd of opened.splice(0)) closeSync(fd);
  }
  try {
    const user = ownUser ? [`--user=${open(`/proc/${outerPid}/ns/user`)}`] : [];
    const others = KINDS.map(
      (kind) => `--${kind === 'mnt' ? 'mount' : kind}=${open(`/proc/${firstPid}/ns/${kind}`)}`,
    );
    const place = ownUser ? [] : rootArguments(open(`/proc/${firstPid}/root`, constants.O_DIRECTORY));
    return { arguments: [...user, ...others, '--preserve-credentials', ...place, '--'], close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Without --wd nsenter keeps a folder of the host as the working directory, from which ".." leads out. */
function rootArguments(root: string): string[] {
  return [`--root=${root}`, `--wd=${root}`];
}
