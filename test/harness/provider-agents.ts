import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { ContractRig } from './provider-contract.ts';

/** Below `base`, what npm leaves where an agent was installed: its package, and links to what can be started. */
export function layAgents(base: string): string {
  const folder = join(base, 'the agents');
  const programs = join(folder, 'node_modules/.bin');
  mkdirSync(join(folder, 'node_modules/contract-agent'), { recursive: true });
  mkdirSync(programs);
  const outside = join(base, 'outside');
  for (const path of [join(folder, 'node_modules/contract-agent/run.sh'), outside]) {
    writeFileSync(path, '#!/bin/sh\necho "an agent with $#"\n');
    chmodSync(path, 0o755);
  }
  symlinkSync('../contract-agent/run.sh', join(programs, 'contract-agent'));
  symlinkSync(outside, join(programs, 'contract-outside'));
  writeFileSync(join(programs, 'contract-data'), 'no program\n', { mode: 0o644 });
  for (const path of [
    base,
    folder,
    join(folder, 'node_modules'),
    join(folder, 'node_modules/contract-agent'),
    programs,
  ]) {
    chmodSync(path, 0o755);
  }
  return folder;
}

/** For providers that were made with the folder of `layAgents`. */
export function describeAgents({ provider, open, sh }: ContractRig): void {
  test('the programs of agents are found where the paths say, and can’t be changed', async () => {
    const { id } = await open();
    const { agents } = provider.paths(id);
    expect(await sh(id, '"$1/contract-agent" one two', agents!)).toMatchObject({
      code: 0,
      stdout: 'an agent with 2\n',
    });
    const { code } = await sh(id, 'echo no > "$1/contract-agent" || rm "$1/contract-agent"', agents!);
    // Unsafe mode has nothing but the ordinary rights of files.
    expect(code !== 0 || !provider.capabilities.isolated).toBe(true);
  });

  test('a program is known before a sandbox is made, if one could start it', async () => {
    const known = async (...names: string[]): Promise<boolean[]> =>
      Promise.all(names.map((name) => provider.hasProgram(name)));
    expect(await known('contract-agent', 'sh', 'git')).toEqual([true, true, true]);
    expect(await known('contract-data', 'no-such-agent', '../contract-agent', 'node_modules', '')).toEqual(
      Array(5).fill(false),
    );
    // A link out of the folder leads nowhere once the sandbox is around it.
    expect(await known('contract-outside')).toEqual([!provider.capabilities.isolated]);
  });
}
