import type { Deps } from '../deps.ts';
import type { Settings } from '../settings/schema.ts';
import { agentsOf } from './choose.ts';

/**
 * What stands in the way of the agents that a spec needs; one sentence each for the person who asked. A process that
 * runs no sandboxes can't know which programs there are, and says nothing of them.
 */
export async function agentProblems(
  deps: Pick<Deps, 'agents' | 'sandboxes'>,
  settings: Settings,
): Promise<string[]> {
  const problems: string[] = [];
  for (const agent of agentsOf(deps.agents, settings)) {
    if (agent === 'command' && settings.agentCommand === null) problems.push(NO_COMMAND);
    const cli = deps.agents.clis[agent] ?? null;
    if (cli === null || deps.sandboxes.kind !== 'ready') continue;
    if (await deps.sandboxes.provider.hasProgram(cli.program)) continue;
    problems.push(
      `The agent \`${agent}\` can't be started: its program \`${cli.program}\` is not installed where sandboxes run. ` +
        `The operator installs it with \`${cli.install}\`, or with \`--prefix DIR\` in place of \`-g\` and ` +
        'AGENT_CLI_DIR set to that folder.',
    );
  }
  return problems;
}

const NO_COMMAND =
  'The agent is `command`, but no command is set: set `agentCommand` in `.github/specwright.yml`, or choose another `agent`.';
