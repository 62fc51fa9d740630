import { describe, expect, test } from '@jest/globals';
import { parseScript } from '../../src/agent/script.ts';
import { scriptedDriver } from '../../src/agent/scripted.ts';

const task = {
  subject: 'design',
  attempt: 2,
  prompt: 'secret plans',
  outputSchema: {},
  model: null,
  maxTurns: null,
  command: null,
  workspace: '/workspace',
  tools: '/opt/specwright',
  scratch: '/home/agent/runs/1',
  node: '/opt/node/bin/node',
};

test('the scripted driver names the work in a file and brings no environment of its own', () => {
  expect(scriptedDriver.buildCommand(task)).toEqual({
    argv: [
      '/opt/node/bin/node',
      '/opt/specwright/scripted-agent.mjs',
      '/opt/specwright/script.json',
      '/home/agent/runs/1/task.json',
    ],
    env: {},
    files: { 'task.json': '{"subject":"design","attempt":2,"workspace":"/workspace"}' },
    stdin: null,
    outputFile: null,
  });
});

test.each([
  '',
  'null',
  '7',
  '[]',
  '{',
  '{"type":"text"}',
  '{"type":"text","text":1}',
  '{"type":"output"}',
  '{"type":"x"}',
])('the line %j is no event and no error', (line) => {
  expect(scriptedDriver.parseLine(line)).toEqual([]);
});

describe('the judgement of a scripted run', () => {
  const exit = { code: 0, timedOut: false, events: [], stderrTail: '', outputText: null, wantsOutput: true };

  test('takes the last output of a run that ended well', () => {
    const events = [
      { type: 'output' as const, output: 1 },
      { type: 'output' as const, output: { a: 2 } },
    ];
    expect(scriptedDriver.judge({ ...exit, events })).toEqual({ kind: 'done', output: { a: 2 } });
    expect(scriptedDriver.judge(exit)).toEqual({ kind: 'done', output: null });
  });

  test('gives the reason that the agent gave, or its code', () => {
    const events = [
      { type: 'error' as const, message: 'no idea' },
      { type: 'output' as const, output: {} },
    ];
    expect(scriptedDriver.judge({ ...exit, code: 1, events })).toEqual({
      kind: 'failed',
      why: 'work',
      reason: 'no idea',
    });
    expect(scriptedDriver.judge({ ...exit, code: 9 })).toMatchObject({
      reason: 'the scripted agent ended with code 9',
    });
    expect(scriptedDriver.judge({ ...exit, timedOut: true })).toMatchObject({ kind: 'failed', why: 'limit' });
  });
});

describe('a script', () => {
  test('that is right is returned', () => {
    const script = {
      phases: { explore: { say: ['Hi'], output: { a: 1 } } },
      tasks: {
        'TSK-001': [
          { fail: 'no' },
          {
            edits: [
              { path: 'a', content: 'b' },
              { path: 'c', mode: '755' },
            ],
          },
        ],
      },
    };
    expect(parseScript(JSON.stringify(script))).toEqual({ ok: true, script });
  });

  test.each([
    ['no json', 'no JSON'],
    ['{"phases":{}}', 'tasks'],
    ['{"phases":{"explore":{"delay":1}},"tasks":{}}', 'phases.explore'],
    ['{"phases":{},"tasks":{"T":{"edits":[{"path":"a"}]}}}', 'tasks.T'],
    ['{"phases":{},"tasks":{"T":[]}}', 'tasks.T'],
  ])('that is wrong is told where: %s', (text, where) => {
    const result = parseScript(text);
    expect(result.ok ? [] : result.problems.join()).toContain(where);
  });
});
