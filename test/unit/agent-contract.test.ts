import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { AgentDriver, AgentEvent, AgentExit, AgentTask } from '../../src/agent/driver.ts';
import { drivers } from '../../src/agent/registry.ts';
import { createProgress } from '../../src/runner/steps/agent-progress.ts';
import { readRecording } from '../harness/agent-recording.ts';
import { ANSWER_SCHEMA, agentSubjects } from '../harness/agent-scenarios.ts';

const task: AgentTask = {
  subject: 'TSK-001',
  attempt: 1,
  prompt: 'Do `this` "$(now)"\n--and --not-that',
  outputSchema: ANSWER_SCHEMA,
  model: { api: 'anthropic', name: 'a-model', baseUrl: 'http://127.0.0.1:7000/llm/3/anthropic' },
  maxTurns: 7,
  command: 'my-agent < "$PROMPT_FILE"',
  workspace: '/workspace',
  tools: '/opt/specwright',
  scratch: '/home/agent/runs/1',
  node: '/opt/node/bin/node',
};

const exit: AgentExit = {
  code: 0,
  timedOut: false,
  events: [],
  stderrTail: '',
  outputText: null,
  wantsOutput: false,
};

/** Every line of every recording. */
const recorded = agentSubjects.flatMap(({ driver, scenarios }) =>
  scenarios.flatMap(({ name }) => readRecording(driver, name)),
);

const LARGE = 4 * 1024 * 1024;
const deep = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;

const hostile: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['no object', 'null'],
  ['a list', '[{"type":"result"}]'],
  ['half an object', '{"type":"result","is_error":'],
  ['a type that is no text', '{"type":{"type":"result"}}'],
  ['a type that objects inherit', '{"type":"constructor"}'],
  ['a prototype', '{"__proto__":{"type":"result","is_error":false}}'],
  ['brackets without end', '['.repeat(LARGE / 8)],
  ['an answer of great depth', `{"type":"result","is_error":false,"structured_output":${deep(20_000)}}`],
  [
    'an answer with a prototype',
    '{"type":"result","is_error":false,"structured_output":{"a":{"__proto__":{"b":1},"constructor":{"prototype":{}}}}}',
  ],
  [
    'a huge text',
    JSON.stringify({ type: 'assistant', message: { content: [{ type: 'text', text: 'x'.repeat(LARGE) }] } }),
  ],
  [
    'a huge item',
    JSON.stringify({ type: 'item.completed', item: { type: 'agent_message', text: 'x'.repeat(LARGE) } }),
  ],
  ['a huge error', JSON.stringify({ type: 'turn.failed', error: { message: 'x '.repeat(LARGE / 2) } })],
  [
    'fences without end',
    JSON.stringify({ type: 'result', is_error: false, result: 'x```\n'.repeat(LARGE / 8) }),
  ],
  [
    'a hundred thousand blocks',
    JSON.stringify({
      type: 'assistant',
      message: { content: Array(100_000).fill({ type: 'text', text: 'x' }) },
    }),
  ],
  [
    'blocks of wrong types',
    '{"type":"assistant","message":{"content":[1,null,[],"x",{"type":"text","text":7},{"type":"tool_use","name":{}}]}}',
  ],
  [
    'counts of wrong types',
    '{"type":"result","is_error":"no","num_turns":-1,"usage":{"input_tokens":1e99,"output_tokens":"9"}}',
  ],
  ['a count without counts', '{"type":"turn.completed","usage":[]}'],
  [
    'items of wrong types',
    '{"type":"item.started","item":{"type":"file_change","changes":[null,{"path":[]}]}}',
  ],
  ['a broken surrogate', '{"type":"error","message":"\\ud800"}'],
  ['control characters', '{"type":"turn.failed","error":{"message":"\\u0000\\u001b[31m\\nred"}}'],
];

/** What the runner keeps of a line may be large for an answer, and for nothing else. */
function weigh(events: readonly AgentEvent[]): number {
  return events
    .filter(({ type }) => type !== 'output')
    .reduce((sum, event) => sum + JSON.stringify(event).length, 0);
}

describe.each(Object.entries(drivers))('the driver %s', (name, driver: AgentDriver) => {
  test('goes by its own name and says how its program is installed', () => {
    expect(driver.name).toBe(name);
    if (driver.cli === null) return;
    expect(driver.buildCommand(task).argv[0]).toBe(driver.cli.program);
    expect(driver.cli.install).toMatch(/^npm install -g \S+$/);
  });

  test('builds a command that a process can be started with', () => {
    for (const outputSchema of [null, ANSWER_SCHEMA]) {
      const command = driver.buildCommand({ ...task, outputSchema });
      expect(command.argv.length).toBeGreaterThan(0);
      // An argument may have 128 KiB, and a prompt may be larger: it goes another way.
      expect(JSON.stringify(command.argv)).not.toContain('--not-that');
      const carried = [command.stdin ?? '', ...Object.values(command.files)].join('\n');
      if (name !== 'scripted') expect(carried).toContain(task.prompt);
      expect(Object.keys(command.files).filter((file) => !/^[\w.-]+$/.test(file))).toEqual([]);
      expect(Object.entries(command.env).filter(([, value]) => typeof value !== 'string')).toEqual([]);
      expect(JSON.stringify(command)).not.toContain('\\u0000');
    }
  });

  test('builds the same command for the same task', () => {
    expect(driver.buildCommand(task)).toEqual(driver.buildCommand(task));
  });

  test.each(hostile)('takes %s for what it is', (_, line) => {
    const began = performance.now();
    const events = driver.parseLine(line);
    const within = performance.now() - began;
    expect(weigh(events)).toBeLessThan(100_000);
    // Answers go on as JSON: what could not is not kept, and neither is what would reach a prototype.
    expect(JSON.stringify(events.filter(({ type }) => type === 'output'))).not.toMatch(
      /__proto__|constructor/,
    );
    expect(within).toBeLessThan(2_000);
  });

  test('takes a recorded line that was cut anywhere, and events of other agents', () => {
    for (const line of recorded) {
      const step = Math.max(1, Math.floor(line.length / 15));
      for (let length = 0; length <= line.length; length += step) {
        expect(weigh(driver.parseLine(line.slice(0, length)))).toBeLessThan(100_000);
      }
    }
  });

  test('takes anything in the place of any field', () => {
    const types = [
      'system',
      'assistant',
      'result',
      'item.completed',
      'item.started',
      'turn.failed',
      'turn.completed',
    ];
    const fields = ['subtype', 'message', 'item', 'error', 'usage', 'result', 'structured_output', 'errors'];
    const value = fc.jsonValue({ maxDepth: 3 });
    const line = fc.record({
      type: fc.constantFrom(...types),
      ...Object.fromEntries(fields.map((field) => [field, value])),
    });
    fc.assert(
      fc.property(line, (said) => {
        expect(Array.isArray(driver.parseLine(JSON.stringify(said)))).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test('judges a run that was out of time, or ended with another code, as failed', () => {
    expect(driver.judge({ ...exit, timedOut: true, code: 143 })).toMatchObject({
      kind: 'failed',
      why: 'limit',
    });
    const events: AgentEvent[] = [
      { type: 'output', output: {} },
      { type: 'end', ok: true, why: null, reason: null },
    ];
    expect(driver.judge({ ...exit, code: 137, events, stderrTail: 'Killed\n' })).toMatchObject({
      kind: 'failed',
      why: 'work',
      reason: expect.stringContaining('Killed'),
    });
  });
});

describe.each(agentSubjects.map((subject) => [subject.driver, subject] as const))(
  'a recorded run of %s',
  (_, subject) => {
    const driver = drivers[subject.driver]!;

    test.each(subject.scenarios.map((scenario) => [scenario.name, scenario] as const))(
      'is read and judged: %s',
      (name, scenario) => {
        const progress = createProgress(() => {});
        const events = readRecording(subject.driver, name).flatMap((line) => driver.parseLine(line));
        for (const event of events) progress.note(event);
        const wantsOutput = scenario.wantsOutput ?? false;
        const outcome = driver.judge({
          ...exit,
          code: scenario.exitCode,
          events: progress.newest(),
          wantsOutput,
        });
        expect(outcome).toMatchObject(scenario.outcome);
        if (outcome.kind === 'failed') expect(outcome.reason).toMatch(scenario.reason ?? /^$/);
        expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining([...scenario.tells]));
      },
    );

    test('counts what it cost, what came from the cache apart', () => {
      const events = readRecording(subject.driver, 'work').flatMap((line) => driver.parseLine(line));
      const calls = subject.driver === 'claude' ? 3 : 4;
      const cacheWrite = subject.driver === 'claude' ? 300 : 0;
      expect(events.filter(({ type }) => type === 'usage')).toEqual([
        {
          type: 'usage',
          inputTokens: (subject.driver === 'claude' ? 100 : 400) * calls,
          cacheReadTokens: 2000 * calls,
          cacheWriteTokens: cacheWrite * calls,
          outputTokens: 40 * calls,
          turns: subject.driver === 'claude' ? calls : null,
        },
      ]);
    });

    test('that broke off is a failure, though the program ended well', () => {
      const events = readRecording(subject.driver, 'work')
        .slice(0, -1)
        .flatMap((line) => driver.parseLine(line));
      expect(driver.judge({ ...exit, events })).toMatchObject({
        kind: 'failed',
        why: 'work',
        reason: expect.stringContaining('without a result'),
      });
    });
  },
);
