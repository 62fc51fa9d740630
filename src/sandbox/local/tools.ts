import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The only search path of everything that runs before a sandbox has given up its powers. */
export const TRUSTED_PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

/** How the loopback interface of a new network namespace is raised. */
export type LoopbackTool = 'ip' | 'perl' | 'python3';

export type ToolsFound =
  | { readonly ok: true; readonly loopback: LoopbackTool; readonly prlimit: boolean }
  | { readonly ok: false; readonly missing: readonly string[]; readonly fix: string };

const NEEDED = [
  'sh',
  'unshare',
  'nsenter',
  'setpriv',
  'mount',
  'umount',
  'pivot_root',
  'chroot',
  'env',
  'du',
];
const LOOPBACK_TOOLS: readonly LoopbackTool[] = ['ip', 'perl', 'python3'];

/** Whether this machine has a tool, by the trusted path. */
export function hasTool(name: string): boolean {
  return TRUSTED_PATH.split(':').some((folder) => existsSync(join(folder, name)));
}

/** Finds what isolated sandboxes are built with, by `has`. */
export function findTools(has: (name: string) => boolean = hasTool): ToolsFound {
  const missing = NEEDED.filter((name) => !has(name));
  const loopback = LOOPBACK_TOOLS.find(has);
  if (loopback === undefined) missing.push('ip');
  if (missing.length > 0 || loopback === undefined) return { ok: false, missing, fix: fixFor(missing) };
  return { ok: true, loopback, prlimit: has('prlimit') };
}

function fixFor(missing: readonly string[]): string {
  const packages = new Set(
    missing.map((name) =>
      name === 'ip' ? 'iproute2' : ['chroot', 'env', 'du'].includes(name) ? 'coreutils' : 'util-linux',
    ),
  );
  return `install ${[...packages].join(' and ')} (Debian, Ubuntu: apt-get install ${[...packages].join(' ')})`;
}
