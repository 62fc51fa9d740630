import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { createLocalProvider } from '../../src/sandbox/local.ts';
import type { ProbeResult } from '../../src/sandbox/provider.ts';
import { programRuns } from '../harness/host-programs.ts';
import { until } from '../harness/until.ts';

const OWNER = join(import.meta.dirname, '../harness/sandbox-owner.ts');
const ORDINARY_UID = 12_345;
const base = mkdtempSync(join(tmpdir(), 'sw-owner-'));
chmodSync(base, 0o755);
afterAll(() => rmSync(base, { recursive: true, force: true }));

const trial = createLocalProvider({ root: join(base, 'trial'), unsafe: false });
const probe = await trial.probe();
await trial.close();
// Without namespaces there is no sandbox that could outlive its owner, and only root can give it a uid of its own.
const whereItWorks = probe.ok ? test : test.skip;
const asRoot = probe.ok && process.getuid?.() === 0 ? test : test.skip;

interface Owned {
  readonly probe: ProbeResult;
  readonly socket: string;
  readonly externalId: string;
  readonly output: { readonly code: number; readonly stdout: string } | null;
}

describe('the owner of a sandbox', () => {
  whereItWorks('takes the whole tree along when it is killed, and its successor clears up', async () => {
    const root = join(base, 'killed');
    const words = [`detached-${process.pid}`, `direct-${process.pid}`] as const;
    const owner = startOwner({ root, words });
    const { socket, externalId } = await firstLine(owner);
    // A program that was started is there by its words only once its shell has become it.
    await until(() => words.every(programRuns), 5_000);
    const dead = once(owner, 'exit');
    owner.kill('SIGKILL');
    await until(() => !words.some(programRuns), 2_000);
    await dead;

    expect(existsSync(join(root, externalId))).toBe(true);
    const successor = createLocalProvider({ root, unsafe: false });
    expect(await successor.probe()).toMatchObject({ ok: true, isolated: true });
    expect(existsSync(dirname(dirname(socket)))).toBe(false);
    expect(groupsNamed(externalId)).toEqual([]);
    await successor.close();
    expect(readdirSync(root)).toEqual([]);
  });

  asRoot('may be an ordinary user: the sandbox is as closed', async () => {
    const root = mkdtempSync(join(base, 'ordinary-'));
    chownSync(root, ORDINARY_UID, ORDINARY_UID);
    const script = `id -u; grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/self/status; ls -A /home
      cat /opt/specwright/tool.txt; (: >/opt/specwright/tool.txt); mkdir -p shut/in; chmod 0 shut; unshare -r true; echo "unshare $?"`;
    const words = [`user-detached-${process.pid}`, `user-direct-${process.pid}`] as const;
    const owner = startOwner({ root, words, script }, ORDINARY_UID);
    const { probe: found, output } = await firstLine(owner);
    expect(found).toMatchObject({ ok: true, isolated: true });
    const zero = '0000000000000000';
    expect(output?.stdout).toBe(
      `1000\nCapEff:\t${zero}\nCapBnd:\t${zero}\nNoNewPrivs:\t1\nagent\ntoolunshare 1\n`,
    );
    await until(() => !words.some(programRuns), 2_000);
    await until(() => owner.exitCode !== null);
    expect(owner.exitCode).toBe(0);
    expect(readdirSync(root)).toEqual([]);
  });

  whereItWorks('never clears up what belongs to a living one', async () => {
    const root = join(base, 'two');
    const words = [`two-detached-${process.pid}`, `two-direct-${process.pid}`] as const;
    const owner = startOwner({ root, words });
    const { externalId } = await firstLine(owner);
    await until(() => words.every(programRuns), 5_000);
    const second = createLocalProvider({ root, unsafe: false });
    expect(await second.probe()).toMatchObject({ ok: true });
    await second.close();
    expect(existsSync(join(root, externalId, 'workspace'))).toBe(true);
    expect(words.map(programRuns)).toEqual([true, true]);
    owner.kill('SIGKILL');
    await until(() => !words.some(programRuns), 2_000);
    const successor = createLocalProvider({ root, unsafe: false });
    await successor.probe();
    await successor.close();
  });
});

function startOwner(options: object, uid?: number): ChildProcess {
  return spawn(process.execPath, [OWNER, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: '/usr/bin:/bin' },
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
}

function firstLine(owner: ChildProcess): Promise<Owned> {
  return new Promise((resolve, reject) => {
    let text = '';
    owner.stdout?.on('data', (chunk) => {
      text += String(chunk);
      if (text.includes('\n')) resolve(JSON.parse(text) as Owned);
    });
    owner.once('exit', (code) => reject(new Error(`the owner ended with ${code}: ${text}`)));
  });
}

/** Control groups of any kind with this name. */
function groupsNamed(name: string): string[] {
  if (!existsSync('/sys/fs/cgroup')) return [];
  return readdirSync('/sys/fs/cgroup', { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith(name),
  );
}
