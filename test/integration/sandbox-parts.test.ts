import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { limitFiles } from '../../src/sandbox/local/cgroups.ts';
import { fixFor, type KernelSettings } from '../../src/sandbox/local/explain.ts';
import { ownerIsDead, ownerToken } from '../../src/sandbox/local/owner.ts';
import { mountTable } from '../../src/sandbox/local/profile.ts';
import { openFilesLimit, prlimitPrefix } from '../../src/sandbox/local/rlimits.ts';
import { buildSkeleton, lockedFlags } from '../../src/sandbox/local/skeleton.ts';
import { findTools } from '../../src/sandbox/local/tools.ts';
import { descendants } from '../../src/sandbox/local/tree.ts';
import { claimUid, uidRange } from '../../src/sandbox/local/uids.ts';
import { until } from '../harness/until.ts';

const base = mkdtempSync(join(tmpdir(), 'sw-parts-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));
// Mount tables and /proc are Linux's.
const linux = process.platform === 'linux' ? test : test.skip;
const LIMITS = { memoryMb: 256, cpus: 0.5, processes: 40, diskMb: 10 };

describe('limits', () => {
  test('of a control group are written in the words of its version', () => {
    expect(limitFiles(2, 'memory', LIMITS)).toContainEqual({ file: 'memory.max', value: '268435456' });
    expect(limitFiles(2, 'cpu', LIMITS)).toEqual([{ file: 'cpu.max', value: '50000 100000' }]);
    expect(limitFiles(1, 'memory', LIMITS)[0]).toEqual({ file: 'memory.limit_in_bytes', value: '268435456' });
    expect(limitFiles(1, 'cpu', { ...LIMITS, cpus: 0.0001 })[1]?.value).toBe('1000');
    expect(limitFiles(1, 'pids', LIMITS)).toEqual([{ file: 'pids.max', value: '40' }]);
  });

  test('by rlimit cover only what nothing else bounds, and never address space', () => {
    expect(prlimitPrefix(LIMITS, { memory: true, processes: true, files: true })).toEqual([]);
    const all = prlimitPrefix(LIMITS, { memory: false, processes: false, files: false });
    expect(all).toContain('--nproc=40');
    expect(all).toContain('--fsize=10485760');
    expect(all.join(' ')).not.toContain('--as');
  });

  test('on open files never exceed what the app itself may have', () => {
    expect(openFilesLimit('Max open files            1024                 4096                 files')).toBe(
      4096,
    );
    expect(openFilesLimit('Max open files            1024                 999999               files')).toBe(
      16_384,
    );
  });
});

describe('uids', () => {
  test('lie above those of other accounts where the app may use them', () => {
    expect(uidRange('         0          0 4294967295')).toEqual({ first: 1_900_000_000, count: 65_536 });
  });

  test('come from the end of a container mapping, and there are none in a mapping of one', () => {
    expect(uidRange('0 100000 65536')).toEqual({ first: 49_152, count: 16_384 });
    expect(uidRange('0 1000 1\n1 100000 40000')).toEqual({ first: 30_001, count: 10_000 });
    expect(uidRange('0 1000 1')).toBeNull();
  });

  linux('are never held twice, and can be held again after their release', async () => {
    const range = { first: 1_990_000_000 + process.pid * 2, count: 2 };
    const [one, two] = await Promise.all([claimUid(range), claimUid(range)]);
    expect(one.uid).not.toBe(two.uid);
    await expect(claimUid(range)).rejects.toThrow('no free uid');
    await one.release();
    const again = await claimUid(range);
    expect(again.uid).toBe(one.uid);
    await Promise.all([again.release(), two.release()]);
  });
});

describe('owners', () => {
  linux('count as dead when their number was used again or the machine restarted, not when unseen', () => {
    const own = `${ownerToken()}x`;
    const [pid, started, space, boot] = own.split('-');
    expect(ownerIsDead(own)).toBe(false);
    expect(ownerIsDead(`${pid}-1${started}-${space}-${boot}-x`)).toBe(true);
    expect(ownerIsDead(`${pid}-${started}-${space}-00000000-x`)).toBe(true);
    expect(ownerIsDead(`o999999999-1-1-${boot}-x`)).toBe(false);
    expect(ownerIsDead('workspace')).toBe(false);
  });

  linux('count as dead as soon as they are killed, though nobody has waited for them yet', async () => {
    // The parent becomes a program that never waits for the child which its shell had started.
    const parent = spawn('/bin/sh', ['-c', 'sleep 30 & echo $!; exec sleep 30'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    try {
      const child = Number(String((await once(parent.stdout, 'data'))[0]));
      const fields = () => readFileSync(`/proc/${child}/stat`, 'utf8').split(') ')[1]!.split(' ');
      const [, , space, boot] = ownerToken().split('-');
      const name = `o${child}-${fields()[19]}-${space}-${boot}-x`;
      // Until then it is a shell, which waits for its children.
      await until(() => readFileSync(`/proc/${parent.pid}/comm`, 'utf8') === 'sleep\n');
      expect(ownerIsDead(name)).toBe(false);
      process.kill(child, 'SIGKILL');
      await until(() => fields()[0] === 'Z');
      expect(ownerIsDead(name)).toBe(true);
    } finally {
      const ended = once(parent, 'exit');
      parent.kill('SIGKILL');
      await ended;
    }
  });

  test('are told the processes that descend from theirs', () => {
    const entry = (pid: number, parent: number) => ({ pid, parent, uid: 0, residentKb: 1 });
    const all = [entry(1, 0), entry(2, 1), entry(3, 2), entry(4, 3), entry(5, 1)];
    expect(descendants(all, [2]).map(({ pid }) => pid)).toEqual([2, 3, 4]);
    expect(descendants(all, [9])).toEqual([]);
  });
});

describe('the profile', () => {
  linux('building the root changes nothing that its links lead to', () => {
    const outside = join(base, 'outside');
    mkdirSync(outside, { mode: 0o700 });
    writeFileSync(join(outside, 'private'), '', { mode: 0o600 });
    chmodSync(outside, 0o700);
    const before = process.umask(0o077);
    try {
      buildSkeleton(join(base, 'skeleton'), { inUserNamespace: false, agents: null });
    } finally {
      process.umask(before);
    }
    const mode = (path: string) => statSync(path).mode & 0o777;
    // /var/tmp inside is a link to /tmp, in which this test's own folder lies.
    expect([mode(outside), mode(join(outside, 'private'))]).toEqual([0o700, 0o600]);
    expect([
      mode(join(base, 'skeleton/root/workspace')),
      mode(join(base, 'skeleton/root/etc/hosts')),
    ]).toEqual([0o755, 0o644]);
  });

  test('escapes what would break a mount table and repeats locked flags', () => {
    const host = {
      skeleton: '/s k',
      shared: ['/usr'],
      devices: [],
      bind: 'rbind' as const,
      node: null,
      nodeInside: '/usr/bin/node',
      agents: '/op t',
      lockedFlags: () => ['nosuid'],
    };
    const folders = {
      base: '/b\t#\\',
      workspace: '/w',
      home: '/h',
      tools: '/t',
      socketBase: '/x',
      socket: '/x/g/gateway.sock',
    };
    const table = mountTable(host, folders, LIMITS);
    expect(table).toContain('/usr /s\\040k/root/usr none rbind,ro,nosuid 0 0\n');
    expect(table).toContain('/b\\011\\043\\134/etc/passwd ');
    expect(table).toContain('/op\\040t /s\\040k/root/opt/agents none rbind,ro,nosuid 0 0\n');
    expect(table).toContain('size=128m');
  });

  test('finds the flags of the mount that holds a path', () => {
    const mounts = [
      '1 0 8:1 / / rw,relatime - ext4 /dev/sda rw',
      '2 1 8:2 / /home rw,nosuid,nodev,noatime - ext4 /dev/sdb rw',
    ].join('\n');
    expect(lockedFlags(mounts, '/home/agent/x')).toEqual(['nosuid', 'nodev', 'noatime']);
    expect(lockedFlags(mounts, '/homes')).toEqual(['relatime']);
  });
});

describe('a refusal', () => {
  const open: KernelSettings = {
    apparmorRestricts: null,
    userNamespaceClone: null,
    maxUserNamespaces: '1000',
  };
  const denied = 'unshare: unshare failed: Operation not permitted';

  test('names the setting that forbids user namespaces', () => {
    expect(fixFor(denied, false, { ...open, apparmorRestricts: '1' })).toContain(
      'kernel.apparmor_restrict_unprivileged_userns=0',
    );
    expect(fixFor(denied, false, { ...open, userNamespaceClone: '0' })).toContain(
      'kernel.unprivileged_userns_clone=1',
    );
    expect(fixFor(denied, false, { ...open, maxUserNamespaces: '0' })).toContain('user.max_user_namespaces');
    expect(fixFor(denied, true, open)).toContain('--cap-add SYS_ADMIN');
  });

  test('names the packages that are missing', () => {
    const without = (...names: string[]) => findTools((name) => !names.includes(name));
    expect(without('nsenter', 'ip', 'perl', 'python3')).toMatchObject({
      ok: false,
      missing: ['nsenter', 'ip'],
      fix: expect.stringContaining('util-linux and iproute2'),
    });
    expect(without('ip')).toMatchObject({ ok: true, loopback: 'perl' });
    expect(without('ip', 'perl')).toMatchObject({ ok: true, loopback: 'python3' });
  });
});
