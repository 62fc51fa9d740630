import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { drivers } from '../../agent/registry.ts';
import { parseScript } from '../../agent/script.ts';
import type { Config } from '../../config.ts';
import { createLocalProvider } from '../../sandbox/local.ts';
import type { SandboxProvider } from '../../sandbox/provider.ts';
import { defaultSettings } from '../../services/settings/schema.ts';
import { attention, type Finding, ok, wrong } from './finding.ts';

/** Makes a real sandbox, runs a command in it, and takes it away. */
export async function checkSandbox(config: Config): Promise<Finding> {
  const provider = localProvider(config);
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

function localProvider(config: Config): SandboxProvider {
  const unsafe = config.sandbox.unsafe === 'process';
  const { cliDir: agents } = config.agents;
  return createLocalProvider({ root: join(config.dataDir, 'sandboxes'), unsafe, agents });
}

/** Looks at who does the work. */
export async function checkAgent(config: Config): Promise<Finding> {
  const { agent } = config;
  if (agent === null) return checkPrograms(config);
  const script = parseScript(await readFile(agent.script, 'utf8'));
  if (!script.ok)
    return wrong('Agent', `AGENT_SCRIPT can't be played: ${script.problems.join('; ')}.`, 'Set it right.');
  return ok('Agent', 'A script plays the agent; no model is at work.');
}

/** Looks whether sandboxes would find the agent that works where no settings name one. */
async function checkPrograms(config: Config): Promise<Finding> {
  const name = config.agents.preferred ?? defaultSettings.agent;
  const cli = drivers[name]?.cli ?? null;
  if (cli === null) return ok('Agent', `${name}: what a repository's settings name as its command.`);
  const provider = localProvider(config);
  try {
    if (await provider.hasProgram(cli.program)) return ok('Agent', `${name}, which is installed.`);
    return attention(
      'Agent',
      `${name} is not installed where sandboxes run: specs that need it end with a comment that says so.`,
      `Install it with "${cli.install}", or with "--prefix DIR" in place of "-g" and AGENT_CLI_DIR set to DIR.`,
    );
  } finally {
    await provider.close();
  }
}
