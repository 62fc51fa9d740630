import type { AgentOutcome } from '../../src/agent/driver.ts';
import { messagesFaults, startMessagesApi } from './messages-api.ts';
import {
  inOrder,
  type ModelAnswer,
  type ModelFault,
  type ModelPlay,
  type ModelStub,
  type StubOptions,
} from './model-api.ts';
import { responsesFaults, shellCall, startResponsesApi } from './responses-api.ts';

/** One way in which a run of a real agent goes: what the model says, and what our driver has to make of it. */
export interface AgentScenario {
  readonly name: string;
  /** What the model says; `workspace` is the agent's work tree. */
  play(workspace: string): ModelPlay;
  readonly wantsOutput?: true;
  readonly maxTurns?: number;
  readonly exitCode: 0 | 1;
  readonly outcome: Partial<AgentOutcome> & { readonly kind: AgentOutcome['kind'] };
  /** What the reason of the failure says. */
  readonly reason?: RegExp;
  /** Types of event that have to be there. */
  readonly tells: readonly string[];
}

/** A real agent and the ways in which it was recorded. */
export interface AgentSubject {
  readonly driver: string;
  readonly api: 'anthropic' | 'openai';
  readonly model: string;
  startApi(options: StubOptions): Promise<ModelStub>;
  readonly scenarios: readonly AgentScenario[];
}

/** What a driver is asked for where a scenario wants an answer. */
export const ANSWER_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  properties: {
    summary: { type: 'string', minLength: 1, maxLength: 4000 },
    minutes: { anyOf: [{ type: 'integer' }, { type: 'null' }] },
  },
  required: ['summary', 'minutes'],
  additionalProperties: false,
};

const ANSWER = { summary: 'a small library', minutes: null };
const COMMIT = 'git add -A && git commit -q -m "feat: greet" && git log --oneline';
const usage = { input: 100, cacheRead: 2000, cacheWrite: 300, output: 40 };

function says(text: string): ModelAnswer {
  return { blocks: [{ type: 'text', text }], usage };
}

function uses(name: string, input: Record<string, unknown>): ModelAnswer {
  return {
    blocks: [
      { type: 'text', text: 'I go on.' },
      { type: 'tool_use', name, input },
    ],
    usage,
  };
}

function refuses(name: string, fault: ModelFault, reason: RegExp): AgentScenario {
  return {
    name,
    play: () => () => ({ fault }),
    exitCode: 1,
    outcome: { kind: 'failed', why: 'model' },
    reason,
    tells: ['session', 'end'],
  };
}

const done = { exitCode: 0, outcome: { kind: 'done', output: null } } as const;
const answered = { exitCode: 0, outcome: { kind: 'done', output: ANSWER }, wantsOutput: true } as const;

const claude: readonly AgentScenario[] = [
  {
    name: 'work',
    play: (workspace) =>
      inOrder(
        uses('Write', { file_path: `${workspace}/hello.txt`, content: 'hello\n' }),
        uses('Bash', { command: COMMIT, description: 'commit' }),
        says('All done.'),
      ),
    ...done,
    tells: ['session', 'text', 'tool', 'usage', 'end'],
  },
  {
    name: 'answer',
    play: () => inOrder(uses('StructuredOutput', ANSWER)),
    ...answered,
    tells: ['output', 'end'],
  },
  {
    name: 'answer-mended',
    play: () => inOrder(uses('StructuredOutput', { summary: '' }), uses('StructuredOutput', ANSWER)),
    ...answered,
    tells: ['output', 'end'],
  },
  {
    name: 'answer-in-words',
    play: () => () => says(`\`\`\`json\n${JSON.stringify(ANSWER)}\n\`\`\``),
    ...answered,
    tells: ['output', 'end'],
  },
  {
    name: 'no-answer',
    play: () => () => says('I would rather not.'),
    wantsOutput: true,
    exitCode: 0,
    outcome: { kind: 'failed', why: 'work' },
    reason: /without the structured answer/,
    tells: ['text', 'end'],
  },
  {
    name: 'retried',
    play: () => inOrder({ fault: messagesFaults.overloaded }, says('Fine after all.')),
    ...done,
    tells: ['retry', 'text', 'end'],
  },
  {
    name: 'cut-once',
    play: () => inOrder({ ...says('half of it and more'), pieceLength: 5, cutAfter: 5 }, says('Whole now.')),
    ...done,
    tells: ['retry', 'text', 'end'],
  },
  {
    name: 'turns',
    play: () => () => uses('Bash', { command: 'true', description: 'nothing' }),
    maxTurns: 2,
    exitCode: 1,
    outcome: { kind: 'failed', why: 'limit' },
    reason: /maximum number of turns \(2\)/,
    tells: ['tool', 'usage', 'end'],
  },
  refuses('unauthorized', messagesFaults.unauthorized, /not logged in|authenticat/i),
  refuses('rate-limited', messagesFaults.rateLimited(1), /\(429\).*rate limit/),
  refuses('overloaded', messagesFaults.overloaded, /529 Overloaded/),
  refuses('bad-request', messagesFaults.badRequest, /400 messages:/),
  refuses('no-credit', messagesFaults.noCredit, /credit balance/i),
];

const codex: readonly AgentScenario[] = [
  {
    name: 'work',
    play: () => (body, turn) => {
      const commands = ['echo hello > hello.txt', COMMIT, 'false'];
      const command = commands[turn];
      if (command === undefined) return says('All done.');
      return { blocks: [{ type: 'text', text: 'I go on.' }, shellCall(body, command)], usage };
    },
    ...done,
    tells: ['session', 'text', 'tool', 'usage', 'end'],
  },
  { name: 'answer', play: () => () => says(JSON.stringify(ANSWER)), ...answered, tells: ['text', 'end'] },
  {
    name: 'no-answer',
    play: () => () => says('I would rather not.'),
    wantsOutput: true,
    exitCode: 0,
    outcome: { kind: 'failed', why: 'work' },
    reason: /without the structured answer/,
    tells: ['text', 'end'],
  },
  {
    name: 'retried',
    play: () => inOrder({ fault: responsesFaults.rateLimited(0) }, says('Fine after all.')),
    ...done,
    tells: ['text', 'end'],
  },
  {
    name: 'cut-once',
    play: () => inOrder({ ...says('half of it and more'), pieceLength: 5, cutAfter: 5 }, says('Whole now.')),
    ...done,
    tells: ['text', 'end'],
  },
  refuses('unauthorized', responsesFaults.unauthorized, /401 Unauthorized/),
  refuses('rate-limited', responsesFaults.rateLimited(0), /429 Too Many Requests/),
  refuses('overloaded', responsesFaults.overloaded, /at capacity/),
  refuses('bad-request', responsesFaults.badRequest, /Invalid value for input/),
  refuses('no-credit', responsesFaults.noCredit, /quota/i),
];

/** Every driver of a program that is installed, by its name. */
export const agentSubjects: readonly AgentSubject[] = [
  {
    driver: 'claude',
    api: 'anthropic',
    model: 'claude-opus-5-5',
    startApi: startMessagesApi,
    scenarios: claude,
  },
  { driver: 'codex', api: 'openai', model: 'gpt-5-codex', startApi: startResponsesApi, scenarios: codex },
];
