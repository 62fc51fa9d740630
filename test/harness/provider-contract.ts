import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { UserError } from '../../src/errors.ts';
import type {
  ExecResult,
  ProbeResult,
  SandboxEnd,
  SandboxInstance,
  SandboxLimits,
  SandboxProvider,
} from '../../src/sandbox/provider.ts';
import { describeAgents } from './provider-agents.ts';
import { describeIsolation } from './provider-isolation.ts';
import { describeLimits } from './provider-limits.ts';
import { serveText } from './serve-text.ts';
import { until } from './until.ts';

/** What the parts of the contract share. */
export interface ContractRig {
  readonly provider: SandboxProvider;
  readonly runs: ((word: string) => boolean) | undefined;
  /** Ends that were announced, oldest first. */
  readonly ends: Array<readonly [string, SandboxEnd]>;
  /** Makes a sandbox that is destroyed after the test. Its gateway answers `gateway of <id>` and hangs up. */
  open(limits?: Partial<SandboxLimits>, labels?: Record<string, string>): Promise<SandboxInstance>;
  /** Runs `sh -c script` with the arguments as $1, $2... */
  sh(id: string, script: string, ...args: string[]): Promise<ExecResult>;
  /** Runs a piece of JavaScript in the sandbox's Node. */
  js(id: string, source: string, ...args: string[]): Promise<ExecResult>;
  /** The socket path that the provider asked the gateway to serve. */
  socketOf(id: string): string | undefined;
}

export const CONTRACT_LIMITS: SandboxLimits = { memoryMb: 512, cpus: 2, processes: 200, diskMb: 100 };
export const TOOL_TEXT = 'a file of the request\n';
const PATH = '/usr/local/bin:/usr/bin:/bin';

export interface ContractSubject {
  readonly name: string;
  readonly provider: SandboxProvider;
  /** The provider's own answer; where it cannot work the tests are skipped, and one of them says why. */
  readonly probe: ProbeResult;
  /** Whether a program with this word among its arguments runs; for providers on this machine. */
  readonly runs?: (word: string) => boolean;
}

/** Defines the tests that every provider must pass; they branch on its capabilities. */
export function describeProviderContract({ name, provider, probe, runs }: ContractSubject): void {
  // A machine whose kernel forbids namespaces can't run a sandbox at all; the skipped test's name says what it needs.
  const [suite, proof] = probe.ok ? [describe, test] : [describe.skip, test.skip];
  proof(`${name} works here${probe.ok ? '' : `, which needs: ${probe.fix} (${probe.reason})`}`, () => {
    expect(probe).toMatchObject({ ok: true, isolated: provider.capabilities.isolated });
  });
  suite(`${name} keeps the provider contract:`, () => {
    const rig = makeRig(provider, runs);
    describeLookups(rig);
    describePrograms(rig);
    describeFiles(rig);
    describeLifecycle(rig);
    describeLimits(rig);
    describeAgents(rig);
    if (provider.capabilities.isolated) describeIsolation(rig);
  });
}

function makeRig(provider: SandboxProvider, runs: ContractRig['runs']): ContractRig {
  const opened: string[] = [];
  const sockets = new Map<string, string>();
  const ends: Array<readonly [string, SandboxEnd]> = [];
  provider.onEnd((id, why) => ends.push([id, why]));
  let count = 0;
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((id) => provider.destroy(id)));
  });
  afterAll(() => provider.close());
  const env = (id: string) => ({ PATH, HOME: provider.paths(id).home });
  return {
    provider,
    runs,
    ends,
    async open(limits = {}, labels = {}) {
      const id = `contract-${process.pid}-${++count}`;
      opened.push(id);
      return provider.create({
        id,
        labels,
        limits: { ...CONTRACT_LIMITS, ...limits },
        files: [{ path: '/opt/specwright/sub/tool.txt', content: TOOL_TEXT }],
        serveGateway(path) {
          sockets.set(id, path);
          return serveText(path, `gateway of ${id}`);
        },
      });
    },
    sh: async (id, script, ...args) =>
      provider.exec(id, { argv: ['/bin/sh', '-c', script, 'sh', ...args], env: env(id), timeoutMs: 20_000 }),
    js: async (id, source, ...args) =>
      provider.exec(id, {
        argv: [provider.paths(id).node, '-e', source, ...args],
        env: env(id),
        timeoutMs: 20_000,
      }),
    socketOf: (id) => sockets.get(id),
  };
}

function describeLookups({ provider, open }: ContractRig): void {
  test('an instance is found by its id and by its labels', async () => {
    const first = await open({}, { app: 'contract', kind: 'one' });
    const second = await open({}, { app: 'contract', kind: 'two' });
    expect(await provider.get(first.id)).toEqual({
      id: first.id,
      externalId: first.externalId,
      state: 'running',
      labels: { app: 'contract', kind: 'one' },
      createdAt: expect.any(Date),
    });
    const ids = async (labels: Record<string, string>) => {
      const found: string[] = [];
      for await (const { id } of provider.list(labels)) found.push(id);
      return found;
    };
    expect((await ids({ app: 'contract' })).toSorted()).toEqual([first.id, second.id].toSorted());
    expect(await ids({ app: 'contract', kind: 'two' })).toEqual([second.id]);
    expect(await ids({ app: 'other' })).toEqual([]);
    expect(await provider.get('nobody')).toBeNull();
  });
}

function describePrograms(rig: ContractRig): void {
  const { provider, open, sh, js } = rig;

  test('exec tells the exit code, both streams, and the signal that ended a program', async () => {
    const { id } = await open();
    const ended = await sh(id, 'cat; echo err >&2; exit 7');
    expect(ended).toEqual({ code: 7, stdout: '', stderr: 'err\n', timedOut: false });
    expect(await sh(id, 'kill -TERM $$')).toMatchObject({ code: 143 });
    const missing = await provider.exec(id, { argv: ['no-such-program'], env: { PATH } });
    expect(missing.code).toBe(127);
  });

  test('a program gets its input, and the workspace as its folder unless told otherwise', async () => {
    const { id } = await open();
    const { workspace, home } = provider.paths(id);
    const echoed = await provider.exec(id, { argv: ['cat'], env: { PATH }, stdin: 'one\ntwo' });
    expect(echoed.stdout).toBe('one\ntwo');
    expect((await sh(id, 'pwd -P')).stdout.trim()).toMatch(new RegExp(`${workspace}$`));
    expect((await provider.exec(id, { argv: ['pwd'], env: { PATH }, cwd: home })).stdout.trim()).toBe(home);
  });

  test('the environment of a program is exactly what was given', async () => {
    const { id } = await open();
    const env = { PATH, EMPTY: '', LINES: 'one\n two \n', ODD: `'"$(id) \\ =x`, lower_1: '+.' };
    const argv = [provider.paths(id).node, '-e', 'console.log(JSON.stringify(process.env))'];
    const { stdout } = await provider.exec(id, { argv, env });
    expect(JSON.parse(stdout)).toEqual(env);
    const none = await provider.exec(id, { argv });
    expect(JSON.parse(none.stdout)).toEqual({});
  });

  test('a program over its time is ended, with what it has started', async () => {
    const { id } = await open();
    const argv = ['/bin/sh', '-c', 'echo begun; sleep 60 & sleep 60'];
    const ended = await provider.exec(id, { argv, env: { PATH }, timeoutMs: 300 });
    expect(ended).toMatchObject({ timedOut: true, code: 137, stdout: 'begun\n' });
  });

  test('output over the cap is cut and says so', async () => {
    const { id } = await open();
    const { code, stdout } = await js(id, 'process.stdout.write("x".repeat(3 * 1024 * 1024))');
    expect(code).toBe(0);
    expect(stdout.length).toBeLessThan(1024 * 1024 + 100);
    expect(stdout).toMatch(/x\n\[output cut after 1 MiB\]\n$/);
  });

  test('spawn streams output while the program runs, and kill ends it', async () => {
    const { id } = await open();
    const running = await provider.spawn(id, {
      argv: ['/bin/sh', '-c', 'echo out; echo err >&2; exec sleep 60'],
      env: { PATH },
    });
    const seen: string[] = [];
    running.onOutput((stream, text) => seen.push(`${stream}:${text}`));
    await until(() => seen.length >= 2);
    expect(seen.toSorted()).toEqual(['stderr:err\n', 'stdout:out\n']);
    await running.kill();
    expect(await running.exited).toEqual({ code: 137 });
    await running.kill();
  });
}

function describeFiles({ provider, open, sh, js, socketOf }: ContractRig): void {
  test('files of the request are there', async () => {
    const { id } = await open();
    const read = await sh(id, 'cat "$1/sub/tool.txt"', provider.paths(id).tools);
    expect(read).toMatchObject({ code: 0, stdout: TOOL_TEXT });
  });

  test('bytes that go up come down again, below workspace and home', async () => {
    const { id } = await open();
    const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, index) => index % 256));
    for (const folder of [provider.paths(id).workspace, provider.paths(id).home]) {
      await provider.upload(id, `${folder}/new/folder/a b.bin`, bytes);
      expect(bytes.equals(await provider.download(id, `${folder}/new/folder/a b.bin`))).toBe(true);
    }
    await expect(provider.download(id, `${provider.paths(id).workspace}/none`)).rejects.toThrow(UserError);
  });

  test('no upload and no download leaves the workspace, not by path and not by a planted link', async () => {
    const { id } = await open();
    const { workspace } = provider.paths(id);
    const outside = await mkdtemp(join(tmpdir(), 'sw-contract-'));
    try {
      await writeFile(join(outside, 'secret'), 'untouched');
      await sh(
        id,
        'ln -s "$1" folder; ln -s "$1/secret" file; ln -s /etc/passwd passwd; ln -s loop loop',
        outside,
      );
      const paths = ['folder/secret', 'folder/new', 'file', 'passwd', 'loop', '../up'].map(
        (p) => `${workspace}/${p}`,
      );
      for (const path of [...paths, '/etc/passwd', 'relative', `${outside}/secret`]) {
        await expect(provider.upload(id, path, 'bad')).rejects.toThrow(/outside|cannot write/);
        await expect(provider.download(id, path)).rejects.toThrow(/outside|there is no|cannot read/);
      }
      expect(await readFile(join(outside, 'secret'), 'utf8')).toBe('untouched');
    } finally {
      await rm(outside, { recursive: true });
    }
  });

  test('the gateway answers on the sandbox own socket, whose path is short', async () => {
    const { id } = await open();
    const { gatewaySocket } = provider.paths(id);
    expect(gatewaySocket !== null).toBe(provider.capabilities.gatewaySocket);
    if (gatewaySocket === null) return;
    const { stdout } = await js(
      id,
      'require("node:net").connect(process.argv[1]).on("data", (d) => process.stdout.write(d))',
      gatewaySocket,
    );
    expect(stdout).toBe(`gateway of ${id}`);
    expect(socketOf(id)!.length).toBeLessThan(100);
  });
}

function describeLifecycle({ provider, open, sh, ends, runs }: ContractRig): void {
  // A provider that does not claim to stop and start has nothing to keep here.
  const stopStart = provider.capabilities.stopStart ? test : test.skip;

  stopStart('stop ends every program and start finds the files again', async () => {
    const { id } = await open();
    const { workspace, home } = provider.paths(id);
    await provider.upload(id, `${workspace}/kept`, 'w');
    await provider.upload(id, `${home}/kept`, 'h');
    const running = await provider.spawn(id, { argv: ['sleep', '60'], env: { PATH } });
    await provider.stop(id);
    expect((await running.exited).code).not.toBe(0);
    expect(await provider.get(id)).toMatchObject({ state: 'stopped' });
    await expect(sh(id, ':')).rejects.toThrow('not running');
    await provider.stop(id);
    await provider.start(id);
    expect((await sh(id, 'cat "$1/kept" "$2/kept"', workspace, home)).stdout).toBe('wh');
    expect(await provider.get(id)).toMatchObject({ state: 'running' });
    expect(ends.filter(([ended]) => ended === id)).toEqual([]);
  });

  test('destroy ends programs that have left their session, removes everything and can be repeated', async () => {
    const { id } = await open();
    const word = `left-${id}`;
    const script = 'setsid sh -c "while :; do sleep 0.02; done" "$1" >/dev/null 2>&1 & echo started';
    expect((await sh(id, script, word)).stdout).toBe('started\n');
    if (runs !== undefined) await until(() => runs(word));
    const running = await provider.spawn(id, { argv: ['sleep', '60'], env: { PATH } });
    await provider.keepAlive(id);
    await provider.destroy(id);
    expect((await running.exited).code).not.toBe(0);
    expect(await provider.get(id)).toBeNull();
    expect(runs?.(word) ?? false).toBe(false);
    await provider.destroy(id);
    await expect(sh(id, ':')).rejects.toThrow('no sandbox');
    expect(ends.filter(([ended]) => ended === id)).toEqual([]);
  });

  test('one sandbox has no access to the files of another', async () => {
    const [first, second] = [await open(), await open()];
    const secret = `${provider.paths(first.id).workspace}/secret`;
    await provider.upload(first.id, secret, 'mine');
    const read = await sh(second.id, 'cat "$1"', secret);
    const separate = provider.capabilities.isolated || process.getuid?.() === 0;
    expect(read.stdout).toBe(separate ? '' : 'mine');
  });
}
