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
// Longer than any Unix socket path may be, and with characters that a mount table must escape.
const root = join(base, 'a folder\twith # odd \\ characters', 'x'.repeat(120));
const provider = createLocalProvider({ root, unsafe: false, agents: layAgents(base) });
const probe = await provider.probe();

describeProviderContract({ name: 'local isolated mode', provider, probe, runs: programRuns });
