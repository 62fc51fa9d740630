import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { ownerToken } from '../../src/sandbox/local/owner.ts';
import { hasTool } from '../../src/sandbox/local/tools.ts';
import { allProcesses, descendants } from '../../src/sandbox/local/tree.ts';
import { createLocalProvider } from '../../src/sandbox/local.ts';
import { recordClaim, sized } from '../harness/claims.ts';
import { programRuns } from '../harness/host-programs.ts';
import { until } from '../harness/until.ts';

const COUNT = sized(40, 300);
const OWNER = join(import.meta.dirname, '../harness/sandbox-owner.ts');
const base = mkdtempSync(join(tmpdir(), 'left-over-'));
// Plain processes with uids of their own have to reach their folders.
chmodSync(base, 0o755);
const root = process.platform === 'linux' && process.getuid?.() === 0;
const mounted: string[] = [];
afterAll(() => {
  for (const path of mounted) tool('umount', [path]);
  rmSync(base, { recursive: true, force: true });
});

/** A name of a process that is dead: the number of this one, with another start. */
function deadName(index: number): string {
  const [pid, started, ...rest] = ownerToken().split('-');
  return [pid, `1${started}`, ...rest].join('-') + String(index).padStart(4, '0');
}

function layOut(folder: string, sockets: string): void {
  for (const name of ['workspace', 'home', 'tools']) mkdirSync(join(folder, name), { recursive: true });
  for (const name of ['a', 'b', 'c']) writeFileSync(join(folder, 'workspace', name), name);
  mkdirSync(join(sockets, 'g'), { recursive: true });
  symlinkSync(sockets, join(folder, 'sockets'));
}

function tool(name: string, args: readonly string[]): void {
  execFileSync(name, args, { stdio: 'ignore' });
}

/** Only root can put something into a folder that nobody can remove: a mount. */
function canMount(): boolean {
  const trial = join(base, 'trial');
  mkdirSync(trial);
  try {
    tool('mount', ['-t', 'tmpfs', 'none', trial]);
    tool('umount', [trial]);
    return true;
  } catch {
    return false;
  }
}

// Without the right to mount there is no folder that resists root.
(root && canMount() ? test : test.skip)(
  'sandboxes of dead owners are cleared up, though one in the middle resists until it no longer does',
  async () => {
    const where = join(base, 'many');
    const sockets = (index: number) => join(base, `sw-${index}`);
    for (let index = 0; index < COUNT; index += 1) layOut(join(where, deadName(index)), sockets(index));
    const stubborn = join(where, deadName(COUNT / 2), 'workspace', 'mounted');
    mkdirSync(stubborn);
    tool('mount', ['-t', 'tmpfs', 'none', stubborn]);
    mounted.push(stubborn);
    writeFileSync(join(stubborn, 'file'), 'held');
    const warnings: object[] = [];
    const log = { info: () => {}, warn: (fields: object) => void warnings.push(fields) };
    const provider = createLocalProvider({ root: where, unsafe: true, log });
    const began = performance.now();
    expect(await provider.probe()).toMatchObject({ ok: true });
    const startMs = Math.round(performance.now() - began);
    await provider.sweep();
    const ms = Math.round(performance.now() - began);
    expect(readdirSync(where).length).toBe(1);
    expect(readdirSync(where)).toEqual([deadName(COUNT / 2)]);
    expect(readdirSync(base).filter((name) => name.startsWith('sw-'))).toEqual([]);
    expect(warnings).toContainEqual(expect.objectContaining({ folder: join(where, deadName(COUNT / 2)) }));
    tool('umount', [mounted.pop()!]);
    await provider.sweep();
    expect(readdirSync(where)).toEqual([]);
    await provider.close();
    recordClaim({
      claim: `what ${COUNT} dead sandboxes left on a machine is removed at start, beside the first work`,
      figure: `ready after ${startMs} ms, all but the one that resisted gone after ${ms} ms`,
    });
  },
  60_000,
);

// Plain processes of their own uid need root; who ends them is Linux's setpriv.
describe('the owner of plain processes', () => {
  (root && hasTool('setpriv') ? test : test.skip).each([
    ['root', undefined],
    ['an ordinary user', 12_345],
  ])(
    'takes along what has a session of its own when it is killed as %s, without another start',
    async (who, uid) => {
      const words = [`${who}-detached-${process.pid}`, `${who}-direct-${process.pid}`] as const;
      const folder = mkdtempSync(join(base, 'plain-'));
      chmodSync(folder, 0o755);
      if (uid !== undefined) chownSync(folder, uid, uid);
      const owner = startOwner({ root: folder, words, unsafe: true }, uid);
      const { socket } = await firstLine(owner);
      expect(words.map(programRuns)).toEqual([true, true]);
      const killedAt = performance.now();
      owner.kill('SIGKILL');
      await once(owner, 'exit');
      await until(() => !words.some(programRuns), 5_000);
      recordClaim({
        claim: `kill -9 of a worker of ${who} in unsafe mode ends what its sandboxes detached`,
        figure: `gone after ${Math.round(performance.now() - killedAt)} ms`,
      });
      expect(existsSync(dirname(dirname(socket)))).toBe(true);
      const successor = createLocalProvider({ root: folder, unsafe: true });
      await successor.probe();
      await successor.close();
      expect(existsSync(dirname(dirname(socket)))).toBe(false);
    },
  );

  (root && hasTool('setpriv') ? test : test.skip)(
    'leaves no warden behind when it ends in order',
    async () => {
      const provider = createLocalProvider({ root: join(base, 'orderly'), unsafe: true });
      expect(await provider.probe()).toMatchObject({ ok: true });
      const own = () => descendants(allProcesses(), [process.pid]).length;
      const before = own();
      const limits = { memoryMb: 512, cpus: 1, processes: 100, diskMb: 50 };
      await provider.create({ id: 'one', labels: {}, limits, files: [], serveGateway: serveNothing });
      expect(own()).toBeGreaterThan(before);
      await provider.close();
      await until(() => own() === before);
    },
  );
});

async function serveNothing(path: string): Promise<{ close(): Promise<void> }> {
  writeFileSync(path, '');
  return { close: async () => {} };
}

function startOwner(options: object, uid?: number): ChildProcess {
  return spawn(process.execPath, [OWNER, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: '/usr/bin:/bin' },
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
}

function firstLine(owner: ChildProcess): Promise<{ socket: string }> {
  return new Promise((resolve, reject) => {
    let text = '';
    owner.stdout?.on('data', (chunk) => {
      text += String(chunk);
      if (text.includes('\n')) resolve(JSON.parse(text) as { socket: string });
    });
    owner.once('exit', (code) => reject(new Error(`the owner ended with ${code}: ${text}`)));
  });
}
