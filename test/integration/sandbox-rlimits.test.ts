import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import { createLocalProvider } from '../../src/sandbox/local.ts';
import { programRuns } from '../harness/host-programs.ts';
import { layAgents } from '../harness/provider-agents.ts';
import { describeProviderContract } from '../harness/provider-contract.ts';

const base = mkdtempSync(join(tmpdir(), 'sw-root-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

const root = join(base, 'sandboxes');
const provider = createLocalProvider({ root, unsafe: false, cgroups: false, agents: layAgents(base) });
const probe = await provider.probe();

describeProviderContract({ name: 'local isolated mode without cgroups', provider, probe, runs: programRuns });
