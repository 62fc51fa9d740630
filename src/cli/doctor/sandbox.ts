import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseScript } from '../../agent/script.ts';
import type { Config } from '../../config.ts';
import { createLocalProvider } from '../../sandbox/local.ts';
import { attention, type Finding, ok, wrong } from './finding.ts';

/** Makes a real sandbox, runs a command in it, and takes it away. */
export async function checkSandbox(config: Config): Promise<Finding> {
  const unsafe = config.sandbox.unsafe === 'process';
  const provider = createLocalProvider({ root: join(config.dataDir, 'sandboxes'), unsafe });
  try {
    const probe = await provider.probe();
    if (!probe.ok) return wrong('Sandbox', probe.reason, probe.fix);
    if (probe.isolated) return ok('Sandbox', probe.detail);
    return attention(
      'Sandbox',
      'SANDBOX_UNSAFE is set: agents run as ordinary processes and can read what this one can.',
      'Remove SANDBOX_UNSAFE; docs/sandbox.md says what isolation needs.',
    );
  } finally {
    await provider.close();
  }
}

/** Looks at who does the work. */
export async function checkAgent({ agent }: Config): Promise<Finding> {
  if (agent === null)
    return attention(
      'Agent',
      'No coding agent is set up: specs end with a comment that says so.',
      'Set AGENT; .env.example lists what there is.',
    );
  const script = parseScript(await readFile(agent.script, 'utf8'));
  if (!script.ok)
    return wrong('Agent', `AGENT_SCRIPT can't be played: ${script.problems.join('; ')}.`, 'Set it right.');
  return ok('Agent', 'A script plays the agent; no model is at work.');
}
