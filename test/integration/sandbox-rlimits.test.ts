import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, test } from '@jest/globals';
import { createLocalProvider } from '../../src/sandbox/local.ts';
import { programRuns } from '../harness/host-programs.ts';
import { describeProviderContract } from '../harness/provider-contract.ts';

const base = mkdtempSync(join(tmpdir(), 'sw-root-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

const root = join(base, 'sandboxes');
const provider = createLocalProvider({ root, unsafe: false, cgroups: false });
const probe = await provider.probe();

if (probe.ok) describeProviderContract('local isolated mode without cgroups', provider, programRuns);
else test.skip(`local isolated mode without cgroups: ${probe.reason}; ${probe.fix}`, () => {});
