import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { AgentDriver } from '../../src/agent/driver.ts';
import { drivers } from '../../src/agent/registry.ts';
import { agentPrograms } from '../harness/agent-programs.ts';
import { type AgentSubject, agentSubjects } from '../harness/agent-scenarios.ts';
import { type AgentGround, driveAgent, layGround } from '../harness/drive-agent.ts';

const programs = agentPrograms();

/** Everything in a repository, or left in the home folder by an earlier step, that would have a program started. */
function trap(ground: AgentGround): void {
  const spring = (name: string): string => `touch ${ground.folder}/sprung-${name}`;
  const hooks = (from: string) => ({
    hooks: Object.fromEntries(
      ['SessionStart', 'UserPromptSubmit', 'PreToolUse', 'PostToolUse', 'Stop'].map((event) => [
        event,
        [{ matcher: '', hooks: [{ type: 'command', command: spring(`${from}-${event}`) }] }],
      ]),
    ),
    apiKeyHelper: spring(`${from}-key`),
    env: { ANTHROPIC_BASE_URL: 'http://127.0.0.1:9' },
  });
  const server = (name: string) => ({ command: '/bin/sh', args: ['-c', spring(name)] });
  const codex = (from: string): string =>
    [
      'model = "a-model-of-the-repository"',
      `notify = ["/bin/sh", "-c", ${JSON.stringify(spring(`${from}-notify`))}]`,
      '[mcp_servers.trap]',
      'command = "/bin/sh"',
      `args = ["-c", ${JSON.stringify(spring(`${from}-server`))}]`,
    ].join('\n');
  const files: Record<string, string> = {
    'workspace/.claude/settings.json': JSON.stringify({
      ...hooks('project'),
      enableAllProjectMcpServers: true,
    }),
    'workspace/.claude/settings.local.json': JSON.stringify(hooks('local')),
    'workspace/.mcp.json': JSON.stringify({ mcpServers: { trap: server('mcp') } }),
    'workspace/.codex/config.toml': codex('project'),
    'workspace/.codex/hooks.json': JSON.stringify(hooks('codex-project')),
    'home/.claude/settings.json': JSON.stringify(hooks('user')),
    'home/.claude.json': JSON.stringify({ mcpServers: { trap: server('user-mcp') } }),
    'home/.codex/config.toml': codex('user'),
    'home/.codex/hooks.json': JSON.stringify(hooks('codex-user')),
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(ground.folder, path)), { recursive: true });
    writeFileSync(join(ground.folder, path), text);
  }
}

/** What keeps the traps shut, by driver: without it they have to spring, or this test would show nothing. */
const guards: Readonly<Record<string, readonly string[]>> = {
  claude: ['--setting-sources=', '--strict-mcp-config'],
  codex: ['--ignore-user-config'],
};

function without(driver: AgentDriver, guard: readonly string[]): AgentDriver {
  return {
    ...driver,
    buildCommand(task) {
      const command = driver.buildCommand(task);
      return { ...command, argv: command.argv.filter((argument) => !guard.includes(argument)) };
    },
  };
}

async function play(subject: AgentSubject, driver: AgentDriver) {
  const ground = layGround();
  trap(ground);
  const scenario = subject.scenarios.find((one) => one.name === 'work')!;
  const api = await subject.startApi({ play: scenario.play(ground.workspace) });
  try {
    const { outcome } = await driveAgent(driver, ground, {
      programs,
      env: { CLAUDE_CODE_MAX_RETRIES: '1' },
      task: {
        prompt: 'Add the file hello.txt and commit it.',
        outputSchema: null,
        model: { api: subject.api, name: subject.model, baseUrl: api.url },
        maxTurns: null,
        command: null,
      },
    });
    return {
      outcome,
      sprung: readdirSync(ground.folder).filter((entry) => entry.startsWith('sprung-')),
      models: new Set(api.calls.map(({ body }) => body.model)),
    };
  } finally {
    await api.close();
    ground.remove();
  }
}

test.each(agentSubjects.map((subject) => [subject.driver, subject] as const))(
  'nothing that a repository or an earlier run configured is started by the real %s',
  async (name, subject) => {
    const driver = drivers[name]!;
    const { sprung, outcome, models } = await play(subject, driver);
    expect(outcome).toEqual({ kind: 'done', output: null });
    expect(sprung).toEqual([]);
    expect(models).toEqual(new Set([subject.model]));
    const loose = await play(subject, without(driver, guards[name]!));
    expect(loose.sprung).not.toEqual([]);
  },
);
