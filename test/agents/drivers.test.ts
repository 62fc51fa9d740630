import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { AgentTask } from '../../src/agent/driver.ts';
import { drivers } from '../../src/agent/registry.ts';
import { agentPrograms } from '../harness/agent-programs.ts';
import { writeRecording } from '../harness/agent-recording.ts';
import {
  type AgentScenario,
  type AgentSubject,
  ANSWER_SCHEMA,
  agentSubjects,
} from '../harness/agent-scenarios.ts';
import { type DrivenRun, driveAgent, layGround } from '../harness/drive-agent.ts';

const programs = agentPrograms();

/** The real program has less patience here than in a sandbox: nothing gets better by waiting. */
const HASTE = { CLAUDE_CODE_MAX_RETRIES: '2' };

type Api = NonNullable<AgentTask['model']>['api'];

async function play(
  subject: AgentSubject,
  scenario: AgentScenario,
  api: Api = subject.api,
): Promise<DrivenRun & { commits: string; paths: Set<string> }> {
  const ground = layGround();
  const stub = await subject.startApi({ play: scenario.play(ground.workspace) });
  try {
    const run = await driveAgent(drivers[subject.driver]!, ground, {
      programs,
      env: HASTE,
      task: {
        prompt: 'Add the file hello.txt and commit it.',
        outputSchema: scenario.wantsOutput ? ANSWER_SCHEMA : null,
        model: { api, name: subject.model, baseUrl: stub.url },
        maxTurns: scenario.maxTurns ?? null,
        command: null,
      },
    });
    if (process.env.RECORD === '1' && api === subject.api) {
      writeRecording({ driver: subject.driver, scenario: scenario.name }, run.lines, ground);
    }
    expect(stub.calls.length).toBeGreaterThan(0);
    const paths = new Set(stub.calls.map(({ path }) => path.split('?')[0]!));
    return { ...run, paths, commits: ground.git('log', '--format=%s%n%b') };
  } finally {
    await stub.close();
    ground.remove();
  }
}

describe.each(agentSubjects.map((subject) => [subject.driver, subject] as const))(
  'the real %s',
  (_, subject) => {
    test.each(subject.scenarios.map((scenario) => [scenario.name, scenario] as const))(
      'is driven through: %s',
      async (__, scenario) => {
        const run = await play(subject, scenario);
        expect({ code: run.code, outcome: run.outcome, stderr: run.stderr }).toMatchObject({
          code: scenario.exitCode,
          outcome: scenario.outcome,
        });
        if (run.outcome.kind === 'failed') expect(run.outcome.reason).toMatch(scenario.reason ?? /^$/);
        expect(run.events.map(({ type }) => type)).toEqual(expect.arrayContaining([...scenario.tells]));
        // The agent's own tools reached the work tree, and nobody was added to the commit.
        expect(run.commits).toBe(scenario.name === 'work' ? 'feat: greet\n\ninit' : 'init');
      },
    );
  },
);

test.each([
  ['bedrock', '/model/us.anthropic.claude-opus-5-5/invoke-with-response-stream'],
  [
    'vertex',
    '/projects/sandbox/locations/global/publishers/anthropic/models/claude-opus-5-5:streamRawPredict',
  ],
] as const)('the real claude works and fails through %s as it does with its maker', async (api, path) => {
  const subject = agentSubjects.find(({ driver }) => driver === 'claude')!;
  const named = (name: string): AgentScenario =>
    subject.scenarios.find((scenario) => scenario.name === name)!;
  const worked = await play(subject, named('work'), api);
  expect({ ...worked.outcome, stderr: worked.stderr }).toEqual({ kind: 'done', output: null, stderr: '' });
  expect(worked.commits).toBe('feat: greet\n\ninit');
  expect([...worked.paths]).toContain(path);
  expect((await play(subject, named('answer'), api)).outcome).toMatchObject(named('answer').outcome);
  expect((await play(subject, named('rate-limited'), api)).outcome).toMatchObject({
    kind: 'failed',
    why: 'model',
  });
});

test('the folder of programs is the one that sandboxes are shown', () => {
  expect(programs).toBe(join(process.env.AGENT_CLI_DIR!, 'node_modules/.bin'));
});
