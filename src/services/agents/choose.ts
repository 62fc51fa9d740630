import type { AgentCli, ModelApi } from '../../agent/driver.ts';
import type { SandboxFile } from '../../sandbox/provider.ts';
import { type AgentName, type AgentPhase, agentPhases, type Settings } from '../settings/schema.ts';

/** The coding agents of a deployment. */
export interface Agents {
  /** What works whatever settings say; null where settings choose. */
  readonly override: {
    readonly driver: string;
    /** True where a script and not a model is at work, which users are told. */
    readonly scripted: boolean;
  } | null;
  /** The agent where no settings name one; null is what the settings' own default says. */
  readonly preferred: AgentName | null;
  /** Laid into every sandbox for them. */
  readonly files: readonly SandboxFile[];
  /** By driver: what it starts, and how that is installed; null needs nothing. */
  readonly clis: Readonly<Record<string, AgentCli | null>>;
}

/** Who does one piece of work, and with which model. */
export interface ChosenAgent {
  readonly driver: string;
  readonly scripted: boolean;
  /** Null where no model is at work. */
  readonly model: { readonly api: ModelApi; readonly name: string | null } | null;
  /** The repository's own program, for the driver that runs one. */
  readonly command: string | null;
}

/** The agent of one phase: the deployment's override, else the phase's own, else the one for all phases. */
export function agentFor(agents: Agents, settings: Settings, phase: AgentPhase): ChosenAgent {
  if (agents.override !== null) return { ...agents.override, model: null, command: null };
  const driver = settings.agents[phase] ?? settings.agent;
  return {
    driver,
    scripted: false,
    model: { api: modelFor(driver), name: settings.models[phase] ?? settings.model },
    command: driver === 'command' ? settings.agentCommand : null,
  };
}

/** The wire protocol that an agent speaks. */
export function modelFor(agent: AgentName): ModelApi {
  return agent === 'codex' ? 'openai' : 'anthropic';
}

/** Every agent that a spec with these settings may need, the one for most phases first. */
export function agentsOf(agents: Agents, settings: Settings): string[] {
  const main = agents.override?.driver ?? settings.agent;
  const used = agentPhases.map((phase) => agentFor(agents, settings, phase).driver);
  return [...new Set(used.includes(main) ? [main, ...used] : used)];
}

/** How people are told who does the work. */
export function describeAgents(agents: Agents, settings: Settings): { name: string; scripted: boolean } {
  return { name: agentsOf(agents, settings).join(', '), scripted: agents.override?.scripted ?? false };
}
