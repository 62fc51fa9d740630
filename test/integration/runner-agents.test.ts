import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { StepResult } from '../../src/runner/protocol.ts';
import { type Rig, startRig } from '../harness/gateway-rig.ts';
import { agentStep } from '../harness/steps.ts';

/** Stands for Claude Code: writes down how it was started and prints what the real one once printed. */
const STAND_IN = `#!/usr/bin/env node
const { readFileSync, writeFileSync } = require('node:fs');
const stdin = readFileSync(0, 'utf8');
const seen = { argv: process.argv.slice(2), env: process.env, stdin, cwd: process.cwd() };
writeFileSync(process.env.HOME + '/seen.json', JSON.stringify(seen));
process.stdout.write(readFileSync(__dirname + '/says.jsonl'));
`;

const recording = (name: string): string =>
  readFileSync(new URL(`../fixtures/agents/claude/${name}.jsonl`, import.meta.url), 'utf8');

const SCHEMA = { type: 'object' };

let rig: Rig;
let programs: string;
beforeAll(async () => {
  rig = await startRig();
  programs = join(rig.root, 'agents');
  mkdirSync(programs);
  rig.run({ config: { agents: programs } });
});
afterAll(() => rig.close());

function play(fields: Parameters<typeof agentStep>[0]): Promise<StepResult> {
  const step = agentStep(fields);
  rig.ledger.steps.push(step);
  return rig.resultOf(step.stepId);
}

test('a program that is not installed is named with the command that installs it', async () => {
  const result = await play({ driver: 'claude' });
  expect(result).toMatchObject({
    kind: 'broken',
    reason: expect.stringContaining('npm install -g @anthropic-ai/claude-code'),
  });
});

test('an agent gets its prompt on its input, the gateway as its model, and no key', async () => {
  writeFileSync(join(programs, 'claude'), STAND_IN, { mode: 0o755 });
  writeFileSync(join(programs, 'says.jsonl'), recording('answer'));
  const prompt = 'Plan it.\n'.repeat(30_000);
  const model = { api: 'anthropic', name: 'a-model' } as const;
  const result = await play({ driver: 'claude', prompt, model, maxTurns: 9, outputSchema: SCHEMA });
  const output = { summary: 'a small library', minutes: null };
  expect(result).toEqual({ kind: 'agent', outcome: 'done', output, reason: null });
  const seen = JSON.parse(readFileSync(join(rig.config.home, 'seen.json'), 'utf8')) as {
    stdin: string;
    cwd: string;
    argv: string[];
    env: Record<string, string>;
  };
  expect(seen.stdin === prompt).toBe(true);
  expect(seen.cwd).toBe(rig.config.workspace);
  expect(seen.argv.slice(0, 1)).toEqual(['--print']);
  expect(seen.argv.join(' ')).toMatch(/--model a-model --max-turns 9 --json-schema \{"type":"object"\}$/);
  expect(seen.env.ANTHROPIC_BASE_URL).toBe(`${seen.env.GATEWAY_URL}/llm/${rig.config.generation}/anthropic`);
  expect(seen.env.ANTHROPIC_AUTH_TOKEN).toBe('sandbox');
  expect(seen.env).not.toHaveProperty('ANTHROPIC_API_KEY');
  const told = rig.ledger.events.filter(({ type }) => /^agent\.(session|usage)$/.test(type));
  expect(told.map(({ data }) => data)).toEqual([
    { id: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    expect.objectContaining({ cacheReadTokens: 2000, cacheWriteTokens: 300, turns: 2 }),
  ]);
});

test('an API that refuses is told apart from work that failed', async () => {
  writeFileSync(join(programs, 'claude'), `${STAND_IN}process.exitCode = 1;\n`, { mode: 0o755 });
  writeFileSync(join(programs, 'says.jsonl'), recording('rate-limited'));
  const model = { api: 'anthropic', name: null } as const;
  expect(await play({ driver: 'claude', model })).toMatchObject({ outcome: 'failed', why: 'model' });
  writeFileSync(join(programs, 'says.jsonl'), recording('turns'));
  expect(await play({ driver: 'claude', model })).toMatchObject({ outcome: 'failed', why: 'limit' });
  writeFileSync(join(programs, 'says.jsonl'), 'Segmentation fault\n');
  expect(await play({ driver: 'claude', model })).toMatchObject({ outcome: 'failed', why: 'work' });
});

test('any program does as an agent: a prompt in a file, an answer in a file, its exit code', async () => {
  const model = { api: 'openai', name: 'm' } as const;
  const command =
    'cp "$PROMPT_FILE" prompt.txt && test -s "$OUTPUT_SCHEMA_FILE" && echo "at $OPENAI_BASE_URL with $MODEL" && ' +
    `echo '{"a": {"b": 1}}' > "$OUTPUT_FILE"`;
  const result = await play({
    driver: 'command',
    prompt: 'Do & don’t',
    command,
    model,
    outputSchema: SCHEMA,
  });
  expect(result).toEqual({ kind: 'agent', outcome: 'done', output: { a: { b: 1 } }, reason: null });
  expect(readFileSync(join(rig.config.workspace, 'prompt.txt'), 'utf8')).toBe('Do & don’t');
  const said = rig.ledger.events.findLast(({ type }) => type === 'agent.text')?.data.text;
  expect(said).toMatch(/^at http:\/\/127\.0\.0\.1:\d+\/llm\/\d+\/openai\/v1 with m$/);

  expect(await play({ driver: 'command', command: 'touch done' })).toMatchObject({
    outcome: 'done',
    output: null,
  });
  expect(await play({ driver: 'command', command: 'echo no idea >&2; exit 3' })).toMatchObject({
    outcome: 'failed',
    why: 'work',
    reason: 'The agent command ended with code 3: no idea',
  });
});

test.each([
  ['nothing', 'true'],
  ['no JSON', 'echo nothing > "$OUTPUT_FILE"'],
  ['a pipe that never ends', 'mkfifo "$OUTPUT_FILE"'],
  ['a link to another file', 'echo "{}" > real && ln -s "$PWD/real" "$OUTPUT_FILE"'],
  ['a folder', 'mkdir "$OUTPUT_FILE"'],
  ['more than a result may be', 'head -c 3000000 /dev/zero > "$OUTPUT_FILE"'],
])('%s in the place of an answer is none', async (_, command) => {
  expect(await play({ driver: 'command', command, outputSchema: SCHEMA })).toMatchObject({
    outcome: 'failed',
    reason: expect.stringContaining('without the structured answer'),
  });
});
