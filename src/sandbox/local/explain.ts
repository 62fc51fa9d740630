import { readFileSync } from 'node:fs';

/** What the kernel's settings say about user namespaces; null where a setting does not exist. */
export interface KernelSettings {
  readonly apparmorRestricts: string | null;
  readonly userNamespaceClone: string | null;
  readonly maxUserNamespaces: string | null;
}

/** Reads the settings of this machine. */
export function kernelSettings(): KernelSettings {
  return {
    apparmorRestricts: setting('kernel/apparmor_restrict_unprivileged_userns'),
    userNamespaceClone: setting('kernel/unprivileged_userns_clone'),
    maxUserNamespaces: setting('user/max_user_namespaces'),
  };
}

const IN_DOCKER =
  'in Docker start the container with --cap-add SYS_ADMIN --cap-add NET_ADMIN --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined';

/** What an operator can do about a profile that failed with `stderr`. */
export function fixFor(stderr: string, root: boolean, settings: KernelSettings): string {
  if (!root && /unshare|uid_map|Operation not permitted|No space left/.test(stderr)) {
    if (settings.maxUserNamespaces === '0')
      return 'enable user namespaces: sysctl -w user.max_user_namespaces=10000';
    if (settings.userNamespaceClone === '0') {
      return 'enable user namespaces: sysctl -w kernel.unprivileged_userns_clone=1';
    }
    if (settings.apparmorRestricts === '1') {
      return 'let AppArmor allow user namespaces: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0';
    }
  }
  if (/unrecognized option|invalid option|unknown option/.test(stderr)) {
    return 'install util-linux 2.36 and coreutils 8.28 or newer';
  }
  if (/not permitted|[Pp]ermission denied/.test(stderr))
    return `let the app make namespaces and mounts: ${IN_DOCKER}`;
  return 'see the reason; the machine must allow mount, pid, net, ipc, uts and cgroup namespaces';
}

function setting(path: string): string | null {
  try {
    return readFileSync(`/proc/sys/${path}`, 'utf8').trim();
  } catch {
    return null; // This kernel does not have the setting.
  }
}
