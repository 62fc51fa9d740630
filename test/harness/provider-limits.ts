import { describe, expect, test } from '@jest/globals';
import type { ContractRig } from './provider-contract.ts';
import { until } from './until.ts';

/** The part of the contract about limits; each is tested only where the provider claims it. */
export function describeLimits(rig: ContractRig): void {
  const { memoryLimit, processLimit, diskLimit, cpuLimit } = rig.provider.capabilities;
  // A limit that this machine does not offer (no control groups, unsafe mode) is not claimed, so it is skipped.
  describe('with limits', () => {
    (memoryLimit ? test : test.skip)('too much memory ends the sandbox, and the reason is told first', () =>
      expectMemoryLimit(rig),
    );
    (processLimit ? test : test.skip)('processes are bounded', () => expectProcessLimit(rig));
    (diskLimit ? test : test.skip)('too much on disk ends the sandbox', () => expectDiskLimit(rig));
    (cpuLimit ? test : test.skip)('its share of the processor is bounded', () => expectCpuLimit(rig));
  });
}

/** Takes 20 MB at a time, with pauses for those who look, up to 800 MB. */
const GREEDY = `const kept = []; const more = () => { kept.push(Buffer.alloc(20 << 20, 1));
  if (kept.length < 40) setTimeout(more, 40); else process.exit(0) }; more()`;

async function expectMemoryLimit({ provider, open, js, ends }: ContractRig): Promise<void> {
  const { id } = await open({ memoryMb: 200 });
  const order: string[] = [];
  provider.onEnd((ended, why) => ended === id && order.push(why));
  const { code } = await js(id, GREEDY);
  order.push('exit');
  expect(code).toBe(137);
  expect(order).toEqual(['memory', 'exit']);
  expect(ends).toContainEqual([id, 'memory']);
  expect(await provider.get(id)).toMatchObject({ state: 'gone' });
  await expect(provider.start(id)).rejects.toThrow('gone');
}

async function expectProcessLimit({ open, js, ends }: ContractRig): Promise<void> {
  const { id } = await open({ processes: 60 });
  const source = `const { spawn } = require('node:child_process'); let refused = 0;
    for (let i = 0; i < 120; i++) spawn('sleep', ['30'], { stdio: 'ignore' }).on('error', () => refused++).unref();
    setTimeout(() => { console.log(refused); process.exit() }, 100)`;
  const { stdout } = await js(id, source);
  expect(Number(stdout)).toBeGreaterThanOrEqual(60);
  expect(Number(stdout)).toBeLessThan(120);
  expect(ends.filter(([ended]) => ended === id)).toEqual([]);
}

async function expectDiskLimit({ provider, open, sh, ends }: ContractRig): Promise<void> {
  const { id } = await open({ diskMb: 24 });
  const one = await sh(id, 'head -c 40000000 /dev/zero >big; code=$?; wc -c <big; rm big; exit $code');
  expect(one.code).not.toBe(0);
  expect(Number(one.stdout)).toBeLessThanOrEqual(24 * 1024 * 1024);
  expect(ends.filter(([ended]) => ended === id)).toEqual([]);
  const fill = 'for i in 1 2 3 4 5 6 7 8; do head -c 6000000 /dev/zero >"$1/$i"; done; exec sleep 60';
  const filling = await provider.spawn(id, {
    argv: ['/bin/sh', '-c', fill, 'sh', provider.paths(id).home],
    env: { PATH: '/usr/bin:/bin' },
  });
  await until(() => ends.some(([ended, why]) => ended === id && why === 'disk'), 10_000);
  expect((await filling.exited).code).not.toBe(0);
  expect(await provider.get(id)).toMatchObject({ state: 'gone' });
}

async function expectCpuLimit({ open, js }: ContractRig): Promise<void> {
  const { id } = await open({ cpus: 0.2 });
  const source = `const end = Date.now() + 1000; while (Date.now() < end);
    const { user, system } = process.cpuUsage(); console.log((user + system) / 1000)`;
  const { stdout } = await js(id, source);
  expect(Number(stdout)).toBeGreaterThan(0);
  expect(Number(stdout)).toBeLessThan(600);
}
