import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { AGENTS_ROOT, type HostLayout, INSIDE } from './profile.ts';

/** Host folders and files that a sandbox may read. Nothing here holds anything about this machine's users. */
const SHARED = [
  '/usr',
  '/etc/ssl',
  '/etc/pki',
  '/etc/ca-certificates',
  '/etc/alternatives',
  '/etc/ld.so.cache',
];
/** On systems with a merged /usr these are links into it; elsewhere they are folders of their own. */
const MERGED = ['/bin', '/sbin', '/lib', '/lib64', '/lib32', '/libx32'];
const DEVICES = ['/dev/null', '/dev/zero', '/dev/full', '/dev/random', '/dev/urandom', '/dev/tty'];
const FOLDERS = [
  '/dev/pts',
  '/dev/shm',
  '/proc',
  '/tmp',
  '/run',
  '/var',
  '/etc',
  INSIDE.workspace,
  INSIDE.home,
];
const LINKS: ReadonlyArray<readonly [string, string]> = [
  ['/proc/self/fd', '/dev/fd'],
  ['/proc/self/fd/0', '/dev/stdin'],
  ['/proc/self/fd/1', '/dev/stdout'],
  ['/proc/self/fd/2', '/dev/stderr'],
  ['pts/ptmx', '/dev/ptmx'],
  ['/tmp', '/var/tmp'],
  ['/proc/self/mounts', '/etc/mtab'],
];

/**
 * Makes the folder that every sandbox of this process has as its root, read-only: `root` is what is seen, `old`
 * takes the host's root until it is detached, and the links let the tools of the last steps find their libraries.
 */
export function buildSkeleton(
  skeleton: string,
  { inUserNamespace, agents }: { inUserNamespace: boolean; agents: string | null },
): HostLayout {
  const root = join(skeleton, 'root');
  makeFolder(join(skeleton, 'old'));
  const added = [INSIDE.tools, dirname(INSIDE.node), ...(agents === null ? [] : [AGENTS_ROOT])];
  for (const folder of [...FOLDERS, ...added]) makeFolder(join(root, folder));
  const merged = MERGED.filter((path) => existsSync(path));
  const shared = [...SHARED.filter((path) => existsSync(path)), ...merged.filter((path) => !isLink(path))];
  for (const path of merged.filter(isLink)) symlinkSync(readlinkSync(path), join(root, path));
  for (const path of ['/usr', '/proc', ...merged]) symlinkSync(`root${path}`, join(skeleton, path));
  const devices = DEVICES.filter((path) => existsSync(path));
  for (const path of [...shared, ...devices]) makeLike(path, join(root, path));
  makeFile(join(root, 'etc/passwd'), '');
  makeFile(join(root, 'etc/group'), '');
  makeFile(join(root, 'etc/hosts'), '127.0.0.1 localhost sandbox\n::1 localhost\n');
  makeFile(join(root, 'etc/hostname'), 'sandbox\n');
  makeFile(join(root, 'etc/nsswitch.conf'), 'passwd: files\ngroup: files\nhosts: files\n');
  makeFile(join(root, INSIDE.node), '');
  // Last: nothing is made below a link.
  for (const [target, path] of LINKS) symlinkSync(target, join(root, path));
  const node = realpathSync(process.execPath);
  const visible = shared.some((path) => node.startsWith(`${path}/`));
  const mountInfo = readFileSync('/proc/self/mountinfo', 'utf8');
  return {
    skeleton,
    shared,
    devices,
    bind: inUserNamespace ? 'rbind' : 'bind',
    node: visible ? null : node,
    nodeInside: visible ? node : INSIDE.node,
    agents,
    lockedFlags: (path) => (inUserNamespace ? lockedFlags(mountInfo, path) : []),
  };
}

/** The mount flags that the kernel locks in a user namespace, for the mount that holds `path`. */
export function lockedFlags(mountInfo: string, path: string): string[] {
  let best = { at: '', options: '' };
  for (const line of mountInfo.split('\n')) {
    const [, , , , at = '', options = ''] = line.split(' ');
    const inside = at === '/' || path === at || path.startsWith(`${at}/`);
    // Of mounts at the same place the last one is the one that is seen.
    if (inside && at.length >= best.at.length) best = { at, options };
  }
  const lockable = ['nosuid', 'nodev', 'noexec', 'noatime', 'nodiratime', 'relatime'];
  return best.options.split(',').filter((option) => lockable.includes(option));
}

function isLink(path: string): boolean {
  return lstatSync(path).isSymbolicLink();
}

/**
 * Makes a folder and those above it, open to all whatever the umask. Each is opened as it is made: a walk over the
 * finished skeleton would follow its links to the host's own folders.
 */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path);
  chmodSync(path, 0o755);
}

function makeFile(path: string, content: string): void {
  makeFolder(dirname(path));
  writeFileSync(path, content, { flag: 'wx' });
  chmodSync(path, 0o644);
}

/** A mount needs something to cover: a folder over folders, a file over anything else. */
function makeLike(source: string, target: string): void {
  if (lstatSync(realpathSync(source)).isDirectory()) makeFolder(target);
  else makeFile(target, '');
}
