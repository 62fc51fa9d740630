import type {
  AgentDriver,
  AgentEvent,
  AgentExit,
  AgentModel,
  AgentOutcome,
  AgentTask,
  FailureKind,
} from './driver.ts';
import { noAnswer, timeIsUp } from './endings.ts';
import {
  answerIn,
  countIn,
  type Fields,
  field,
  lastLine,
  objectIn,
  objectOf,
  oneLine,
  plainCopy,
  readObject,
  textIn,
} from './untrusted.ts';

/** Claude Code, headless: one process a run, JSON lines on its standard output. */
export const claudeDriver: AgentDriver = {
  name: 'claude',
  cli: { program: 'claude', install: 'npm install -g @anthropic-ai/claude-code' },
  buildCommand: (task) => ({
    argv: ['claude', ...argumentsFor(task)],
    env: { ...QUIET, ...(task.model && modelEnvironment(task.model)) },
    files: {},
    stdin: task.prompt,
    outputFile: null,
  }),
  parseLine,
  judge,
};

/** Nobody asked for a co-author's line in every commit. */
const SETTINGS = JSON.stringify({ attribution: { commit: '', pr: '' }, includeCoAuthoredBy: false });

/** About half a minute of growing pauses: longer trouble is for the app to wait out, with the sandbox put away. */
const RETRIES = '6';

/** Nothing but calls to the model leaves the program, and it may run as it is: the sandbox is around it. */
const QUIET = {
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  DISABLE_AUTOUPDATER: '1',
  DISABLE_TELEMETRY: '1',
  DISABLE_ERROR_REPORTING: '1',
  CLAUDE_CODE_MAX_RETRIES: RETRIES,
  IS_SANDBOX: '1',
} as const;

const ALWAYS = [
  '--print',
  '--output-format=stream-json',
  '--verbose',
  '--permission-mode=bypassPermissions',
  // The repository's own settings may name hooks, which would run as they please.
  '--setting-sources=',
  '--strict-mcp-config',
  `--settings=${SETTINGS}`,
  // They reach hosts that the sandbox may not, and one of them runs at the provider.
  '--disallowedTools=WebSearch,WebFetch',
] as const;

function argumentsFor(task: AgentTask): string[] {
  return [
    ...ALWAYS,
    ...(task.model?.name ? ['--model', task.model.name] : []),
    ...(task.maxTurns === null ? [] : ['--max-turns', String(task.maxTurns)]),
    ...(task.outputSchema === null ? [] : ['--json-schema', schemaText(task.outputSchema)]),
  ];
}

/** The program refuses a schema that names the draft in which it is written. */
function schemaText(schema: unknown): string {
  const { $schema: _, ...rest } = objectOf(schema) ?? {};
  return JSON.stringify(rest);
}

/** Whatever key is given, the gateway puts the real one in its place. */
const KEY = 'sandbox';

function modelEnvironment({ api, baseUrl }: AgentModel): Record<string, string> {
  switch (api) {
    case 'bedrock':
      return {
        CLAUDE_CODE_USE_BEDROCK: '1',
        CLAUDE_CODE_SKIP_BEDROCK_AUTH: '1',
        ANTHROPIC_BEDROCK_BASE_URL: baseUrl,
      };
    case 'vertex':
      return {
        CLAUDE_CODE_USE_VERTEX: '1',
        CLAUDE_CODE_SKIP_VERTEX_AUTH: '1',
        ANTHROPIC_VERTEX_BASE_URL: baseUrl,
        // Names of nothing: the gateway knows the project and the region of the credential.
        ANTHROPIC_VERTEX_PROJECT_ID: KEY,
        CLOUD_ML_REGION: 'global',
      };
    default:
      return { ANTHROPIC_BASE_URL: baseUrl, ANTHROPIC_AUTH_TOKEN: KEY };
  }
}

function parseLine(line: string): readonly AgentEvent[] {
  const said = readObject(line);
  switch (field(said, 'type')) {
    case 'system':
      return readSystem(said!);
    case 'assistant':
      return readAssistant(said!);
    case 'result':
      return readResult(said!);
    default:
      return [];
  }
}

function readSystem(said: Fields): AgentEvent[] {
  if (field(said, 'subtype') === 'init') {
    const id = textIn(said, 'session_id', 200);
    return id === null ? [] : [{ type: 'session', id }];
  }
  if (field(said, 'subtype') !== 'api_retry') return [];
  const status = countIn(said, 'error_status');
  const what = textIn(said, 'error', 100) ?? 'unknown';
  const reason = `${what}${status ? ` (${status})` : ''}, attempt ${countIn(said, 'attempt')}`;
  return [{ type: 'retry', reason: oneLine(reason) }];
}

/** More than one message of a model ever has; a line that has more was made to have them. */
const MOST_BLOCKS = 100;

function readAssistant(said: Fields): AgentEvent[] {
  // What the program itself says in the model's place is in the result, too.
  if (field(said, 'is_api_error_message') === true) return [];
  const content = field(objectIn(said, 'message'), 'content');
  return Array.isArray(content) ? content.slice(0, MOST_BLOCKS).flatMap(readBlock) : [];
}

function readBlock(value: unknown): AgentEvent[] {
  const block = objectOf(value);
  if (field(block, 'type') === 'text') {
    const text = textIn(block, 'text');
    return text === null ? [] : [{ type: 'text', text }];
  }
  const name = textIn(block, 'name', 100);
  if (field(block, 'type') !== 'tool_use' || name === null) return [];
  return [{ type: 'tool', name: oneLine(name), detail: detailOf(objectIn(block, 'input')) }];
}

/** What a tool is used on, as far as one line tells. */
function detailOf(input: Fields | null): string {
  const known = ['command', 'file_path', 'path', 'pattern', 'query', 'url', 'description'];
  return oneLine(known.map((name) => textIn(input, name)).find((text) => text !== null) ?? '');
}

function readResult(said: Fields): AgentEvent[] {
  const usage = objectIn(said, 'usage');
  const counted: AgentEvent = {
    type: 'usage',
    inputTokens: countIn(usage, 'input_tokens'),
    cacheReadTokens: countIn(usage, 'cache_read_input_tokens'),
    cacheWriteTokens: countIn(usage, 'cache_creation_input_tokens'),
    outputTokens: countIn(usage, 'output_tokens'),
    turns: countIn(said, 'num_turns'),
  };
  return [counted, ...readOutput(said), endOf(said)];
}

/** The tool for structured answers gives one; a model that would not use it may have said it in words. */
function readOutput(said: Fields): AgentEvent[] {
  const structured = objectIn(said, 'structured_output');
  const words = field(said, 'result');
  const output = structured ? plainCopy(structured) : answerIn(typeof words === 'string' ? words : '');
  return output === undefined ? [] : [{ type: 'output', output }];
}

/** `subtype` says "success" of calls that the API refused: the other fields tell. */
function endOf(said: Fields): AgentEvent {
  const cause = textIn(said, 'terminal_reason', 100);
  const status = countIn(said, 'api_error_status');
  const failed =
    field(said, 'is_error') !== false || (cause !== null && cause !== 'completed') || status >= 400;
  if (!failed) return { type: 'end', ok: true, why: null, reason: null };
  const errors = field(said, 'errors');
  const told =
    textIn(said, 'result') ?? (Array.isArray(errors) && typeof errors[0] === 'string' ? errors[0] : null);
  const reason = oneLine(told ?? cause ?? textIn(said, 'subtype', 100) ?? 'no reason given');
  return { type: 'end', ok: false, why: kindOf(said, cause, status), reason };
}

function kindOf(said: Fields, cause: string | null, status: number): FailureKind {
  if (cause === 'api_error' || status >= 400) return 'model';
  const bounds = ['error_max_turns', 'error_max_budget_usd'];
  return bounds.includes(String(field(said, 'subtype'))) ? 'limit' : 'work';
}

function judge(exit: AgentExit): AgentOutcome {
  if (exit.timedOut) return timeIsUp('Claude Code');
  const end = exit.events.findLast((event) => event.type === 'end');
  if (end?.ok === false) {
    return { kind: 'failed', why: end.why ?? 'work', reason: `Claude Code: ${end.reason}` };
  }
  if (!end || exit.code !== 0) {
    const said = lastLine(exit.stderrTail);
    const how = `Claude Code ended with code ${exit.code}${end ? '' : ' and without a result'}`;
    return { kind: 'failed', why: 'work', reason: said ? `${how}: ${said}` : how };
  }
  const answer = exit.events.findLast((event) => event.type === 'output');
  if (!exit.wantsOutput) return { kind: 'done', output: null };
  return answer ? { kind: 'done', output: answer.output } : noAnswer('Claude Code');
}
