import { describe, expect, test } from '@jest/globals';
import type { SandboxProvider } from '../../src/sandbox/provider.ts';
import { type Agents, agentFor, agentsOf, describeAgents } from '../../src/services/agents/choose.ts';
import { agentProblems } from '../../src/services/agents/problems.ts';
import type { SandboxChoice } from '../../src/services/deps.ts';
import { mergeSettings, parseSettings } from '../../src/services/settings/load.ts';
import { defaultSettings, type Settings } from '../../src/services/settings/schema.ts';

const agents: Agents = {
  override: null,
  preferred: null,
  files: [],
  clis: {
    claude: { program: 'claude', install: 'npm install -g the-claude' },
    codex: { program: 'codex', install: 'npm install -g the-codex' },
    command: null,
    scripted: null,
  },
};
const scripted: Agents = { ...agents, override: { driver: 'scripted', scripted: true } };

const settings = (some: Partial<Settings>): Settings => ({ ...defaultSettings, ...some });

function sandboxesWith(...programs: string[]): SandboxChoice {
  const provider = { hasProgram: async (name) => programs.includes(name) } as Partial<SandboxProvider>;
  return { kind: 'ready', provider: provider as SandboxProvider, isolated: true };
}

describe('who works in a phase', () => {
  test('is Claude Code with a model of its own choice, where nobody says otherwise', () => {
    expect(agentFor(agents, defaultSettings, 'design')).toEqual({
      driver: 'claude',
      scripted: false,
      model: { api: 'anthropic', name: null },
      command: null,
    });
  });

  test('is the agent and the model of that phase, else those of all phases', () => {
    const own = settings({
      agent: 'command',
      agentCommand: 'my-agent',
      model: 'm-1',
      agents: { design: 'codex' },
      models: { design: 'gpt-5-codex' },
    });
    expect(agentFor(agents, own, 'design')).toMatchObject({
      driver: 'codex',
      model: { api: 'openai', name: 'gpt-5-codex' },
      command: null,
    });
    expect(agentFor(agents, own, 'execute')).toMatchObject({
      driver: 'command',
      model: { api: 'anthropic', name: 'm-1' },
      command: 'my-agent',
    });
    expect(agentsOf(agents, own)).toEqual(['command', 'codex']);
    expect(describeAgents(agents, own)).toEqual({ name: 'command, codex', scripted: false });
  });

  test('is the deployment’s script without a model, whatever settings say', () => {
    const own = settings({ agent: 'codex', agents: { verify: 'claude' } });
    expect(agentFor(scripted, own, 'verify')).toMatchObject({
      driver: 'scripted',
      model: null,
      command: null,
    });
    expect(describeAgents(scripted, own)).toEqual({ name: 'scripted', scripted: true });
  });

  test('is laid together from all levels of settings, phase by phase', () => {
    const levels = [
      'agent: codex\nmodels:\n  design: a\n  tasks: b\n',
      'agents:\n  design: claude\nmodels:\n  tasks: c\n',
    ].map(parseSettings) as [ReturnType<typeof parseSettings>, ReturnType<typeof parseSettings>];
    const merged = mergeSettings({}, ...levels);
    expect(merged).toMatchObject({
      problems: [],
      settings: { agent: 'codex', agents: { design: 'claude' }, models: { design: 'a', tasks: 'c' } },
    });
  });

  test.each([
    ['agent: robot', 'agent'],
    ['agents:\n  publish: claude', 'agents'],
    ['model: --dangerous', 'model'],
    ['model: "a model"', 'model'],
    ['agentCommand: ""', 'agentCommand'],
  ])('is refused: %s', (text, key) => {
    const read = parseSettings(text);
    expect(read.ok ? [] : read.problems.map(({ path }) => path.split('.')[0])).toEqual([key]);
  });
});

describe('what stands in the way of an agent', () => {
  test('is named with the command that installs it, for each agent once', async () => {
    const own = settings({ agents: { design: 'codex', tasks: 'codex' } });
    const problems = await agentProblems({ agents, sandboxes: sandboxesWith() }, own);
    expect(problems).toHaveLength(2);
    expect(problems[0]).toContain('`claude` is not installed');
    expect(problems[0]).toContain('`npm install -g the-claude`');
    expect(problems[1]).toContain('`npm install -g the-codex`');
    expect(await agentProblems({ agents, sandboxes: sandboxesWith('claude') }, own)).toHaveLength(1);
    expect(await agentProblems({ agents, sandboxes: sandboxesWith('claude', 'codex') }, own)).toEqual([]);
  });

  test('is a command that no settings name', async () => {
    const sandboxes = sandboxesWith();
    const [problem] = await agentProblems({ agents, sandboxes }, settings({ agent: 'command' }));
    expect(problem).toContain('set `agentCommand`');
    const named = settings({ agent: 'command', agentCommand: 'x' });
    expect(await agentProblems({ agents, sandboxes }, named)).toEqual([]);
  });

  test('is nothing where a script plays, or where another process runs the sandboxes', async () => {
    expect(await agentProblems({ agents: scripted, sandboxes: sandboxesWith() }, defaultSettings)).toEqual(
      [],
    );
    expect(await agentProblems({ agents, sandboxes: { kind: 'elsewhere' } }, defaultSettings)).toEqual([]);
  });
});
