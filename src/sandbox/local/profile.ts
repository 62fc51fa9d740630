import type { SandboxLimits, SandboxPaths } from '../provider.ts';
import type { BoxFolders } from './box.ts';
import { KEEP_SCRIPT } from './scripts.ts';

/** Uid and gid inside where the app cannot give the sandbox a uid of its own on the host. */
export const MAPPED_UID = 1000;

/** Where things are inside an isolated sandbox. */
export const INSIDE = {
  workspace: '/workspace',
  home: '/home/agent',
  tools: '/opt/specwright',
  node: '/opt/node/bin/node',
  agents: '/opt/agents/node_modules/.bin',
  gatewaySocket: '/run/specwright/gateway.sock',
} as const satisfies SandboxPaths;

/** Where the operator's folder of agents is shown. */
export const AGENTS_ROOT = '/opt/agents';

/** What differs between machines. */
export interface HostLayout {
  /** Folder whose `root` becomes the sandbox's root; see skeleton.ts. */
  readonly skeleton: string;
  /** Host folders and files shown read-only at the same path, e.g. /usr. */
  readonly shared: readonly string[];
  readonly devices: readonly string[];
  /** In a user namespace the kernel wants what is mounted below a folder to come along. */
  readonly bind: 'bind' | 'rbind';
  /** The node binary to show at INSIDE.node; null when it lies in a shared folder. */
  readonly node: string | null;
  /** Where it is as seen from inside. */
  readonly nodeInside: string;
  /** The operator's folder of agents, to be shown at AGENTS_ROOT; null where there is none. */
  readonly agents: string | null;
  /** Flags that a remount in a user namespace must repeat for a path; empty for root. */
  lockedFlags(path: string): readonly string[];
}

const TMP_SHARE_OF_MEMORY = 0.5;
const RUN_MB = 16;
const SHM_MB = 64;

/**
 * The mount table (fstab) of one sandbox. One `mount -a` reads it, so that a sandbox costs one process for all
 * its mounts.
 */
export function mountTable(host: HostLayout, folders: BoxFolders, limits: SandboxLimits): string {
  const root = `${host.skeleton}/root`;
  const tmpMb = Math.max(SHM_MB, Math.floor(limits.memoryMb * TMP_SHARE_OF_MEMORY));
  const readOnly = (from: string, to: string) =>
    line([from, to], 'none', [host.bind, 'ro', ...host.lockedFlags(from)]);
  const memory = (to: string, mb: number, mode: string) =>
    line(['tmpfs', `${root}${to}`], 'tmpfs', ['nosuid', 'nodev', `size=${mb}m`, `mode=${mode}`]);
  return [
    readOnly(host.skeleton, host.skeleton),
    ...host.shared.map((path) => readOnly(path, `${root}${path}`)),
    ...(host.node === null ? [] : [readOnly(host.node, `${root}${INSIDE.node}`)]),
    ...(host.agents === null ? [] : [readOnly(host.agents, `${root}${AGENTS_ROOT}`)]),
    readOnly(`${folders.base}/etc/passwd`, `${root}/etc/passwd`),
    readOnly(`${folders.base}/etc/group`, `${root}/etc/group`),
    readOnly(folders.tools, `${root}${INSIDE.tools}`),
    line(['proc', `${root}/proc`], 'proc', ['nosuid', 'nodev', 'noexec']),
    ...host.devices.map((path) => line([path, `${root}${path}`], 'none', [host.bind])),
    line(['devpts', `${root}/dev/pts`], 'devpts', [
      'newinstance',
      'ptmxmode=0666',
      'mode=620',
      'nosuid',
      'noexec',
    ]),
    memory('/dev/shm', SHM_MB, '1777'),
    memory('/tmp', tmpMb, '1777'),
    memory('/run', RUN_MB, '755'),
    line([parentOf(folders.socket), `${root}${parentOf(INSIDE.gatewaySocket)}`], 'none', [
      host.bind,
      'ro',
      'X-mount.mkdir',
      ...host.lockedFlags(folders.socket),
    ]),
    line([folders.workspace, `${root}${INSIDE.workspace}`], 'none', [host.bind]),
    line([folders.home, `${root}${INSIDE.home}`], 'none', [host.bind]),
  ].join('');
}

/** /etc/passwd and /etc/group of a sandbox. */
export function accountFiles(uid: number): { passwd: string; group: string } {
  return {
    passwd: `root:x:0:0:root:/nonexistent:/usr/sbin/nologin\nagent:x:${uid}:${uid}:agent:${INSIDE.home}:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n`,
    group: `root:x:0:\nagent:x:${uid}:\nnogroup:x:65534:\n`,
  };
}

/** Arguments of `unshare` that make the namespaces; root needs no user namespace to be allowed to mount. */
export function unshareArguments(uid: number | null): string[] {
  const user = uid === null ? ['--user', '--map-root-user'] : [];
  return [...user, '--mount', '--pid', '--net', '--ipc', '--uts', '--cgroup', '--fork', '--kill-child', '--'];
}

/**
 * The program with which the first process gives up its powers. `root` below the namespace's root makes it a
 * chroot, in which the kernel refuses nested user namespaces.
 */
export function dropAndKeep(uid: number | null): string[] {
  const keep = ['/bin/sh', '-c', KEEP_SCRIPT, 'sh'];
  if (uid === null) return [...intoMappedUser(), ...keep];
  return ['chroot', 'root', ...intoUid(uid), ...keep];
}

/** Becomes `uid` for good: no groups, no capabilities, no way to gain any; dies with its parent. */
export function intoUid(uid: number): string[] {
  return ['/usr/bin/setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', ...WITHOUT_POWERS, '--'];
}

/** The same where there is but one uid: a user namespace in which it is an ordinary one. */
export function intoMappedUser(): string[] {
  const map = [`--map-user=${MAPPED_UID}`, `--map-group=${MAPPED_UID}`];
  const enter = ['--keep-caps', '--root=/root', '--wd=/', '--'];
  return ['/usr/bin/unshare', '--user', ...map, ...enter, '/usr/bin/setpriv', ...WITHOUT_POWERS, '--'];
}

const WITHOUT_POWERS = [
  '--no-new-privs',
  '--inh-caps=-all',
  '--ambient-caps=-all',
  '--bounding-set=-all',
  '--pdeathsig=KILL',
] as const;

function line([from, to]: readonly [string, string], type: string, options: readonly string[]): string {
  return `${escaped(from)} ${escaped(to)} ${type} ${options.join(',')} 0 0\n`;
}

/** Fields of a mount table are parted by blanks; these characters are written as octal. */
function escaped(path: string): string {
  return path.replace(/[\s\\#]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}
