import type { AgentCommand, AgentDriver, AgentEvent, AgentExit, AgentOutcome, AgentTask } from './driver.ts';
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
  readObject,
  textIn,
} from './untrusted.ts';

/** Codex, headless: one process a run, JSON lines on its standard output. It has no bound for turns. */
export const codexDriver: AgentDriver = {
  name: 'codex',
  cli: { program: 'codex', install: 'npm install -g @openai/codex' },
  buildCommand,
  parseLine,
  judge,
};

const SCHEMA_FILE = 'schema.json';
const ANSWER_FILE = 'answer.txt';

/** Whatever key is given, the gateway puts the real one in its place. */
const KEY = 'sandbox';
const KEY_VARIABLE = 'OPENAI_API_KEY';

const ALWAYS = [
  'codex',
  'exec',
  '--json',
  // The sandbox is around it; one within it could start no program.
  '--dangerously-bypass-approvals-and-sandbox',
  // Neither a configuration in the home folder nor rules of the repository have a say.
  '--ignore-user-config',
  '--ignore-rules',
  '--skip-git-repo-check',
  '--config=analytics.enabled=false',
  '--config=check_for_update_on_startup=false',
  // A marketplace that is asked for at each start, and programs that the model did not call.
  '--config=features.plugins=false',
  '--config=features.hooks=false',
  // It would run at the provider and reach hosts that the sandbox may not.
  '--config=web_search="disabled"',
] as const;

function buildCommand(task: AgentTask): AgentCommand {
  const { scratch, model, outputSchema } = task;
  return {
    argv: [
      ...ALWAYS,
      ...(model === null ? [] : settingsFor(model.baseUrl)),
      ...(model?.name ? ['--model', model.name] : []),
      ...(outputSchema === null ? [] : ['--output-schema', `${scratch}/${SCHEMA_FILE}`]),
      `--output-last-message=${scratch}/${ANSWER_FILE}`,
      '-',
    ],
    env: model === null ? {} : { [KEY_VARIABLE]: KEY },
    files: outputSchema === null ? {} : { [SCHEMA_FILE]: JSON.stringify(strictSchema(outputSchema)) },
    stdin: task.prompt,
    outputFile: ANSWER_FILE,
  };
}

function settingsFor(baseUrl: string): string[] {
  const provider = [
    'name="gateway"',
    `base_url=${JSON.stringify(`${baseUrl}/v1`)}`,
    `env_key="${KEY_VARIABLE}"`,
    'wire_api="responses"',
  ];
  return ['--config=model_provider="gateway"', `--config=model_providers.gateway={${provider.join(',')}}`];
}

/** What the API's strict mode does not know: our own check asks for it afterwards. */
const NOT_STRICT: ReadonlySet<string> = new Set(['$schema', 'minLength', 'maxLength', 'default']);

/** The schema as far as the API's strict mode takes it. */
function strictSchema(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strictSchema);
  const fields = objectOf(schema);
  if (fields === null) return schema;
  const kept = Object.entries(fields).filter(
    ([name, part]) => !NOT_STRICT.has(name) || objectOf(part) !== null,
  );
  return Object.fromEntries(kept.map(([name, part]) => [name, strictSchema(part)]));
}

function parseLine(line: string): readonly AgentEvent[] {
  const said = readObject(line);
  switch (field(said, 'type')) {
    case 'thread.started': {
      const id = textIn(said, 'thread_id', 200);
      return id === null ? [] : [{ type: 'session', id }];
    }
    case 'item.started':
      return toolOf(objectIn(said, 'item'));
    case 'item.completed':
      return itemOf(objectIn(said, 'item'));
    case 'error':
      return troubleOf(textIn(said, 'message'));
    case 'turn.completed':
      return [usageOf(objectIn(said, 'usage')), { type: 'end', ok: true, why: null, reason: null }];
    case 'turn.failed':
      return [endOf(textIn(objectIn(said, 'error'), 'message'))];
    default:
      return [];
  }
}

function itemOf(item: Fields | null): AgentEvent[] {
  if (field(item, 'type') === 'agent_message') {
    const text = textIn(item, 'text');
    return text === null ? [] : [{ type: 'text', text }];
  }
  if (field(item, 'type') === 'error') return troubleOf(textIn(item, 'message'));
  // Changes to files are told once, when they are made.
  return field(item, 'type') === 'file_change' ? toolOf(item) : [];
}

function toolOf(item: Fields | null): AgentEvent[] {
  const type = textIn(item, 'type', 100);
  switch (type) {
    case 'command_execution':
      return [{ type: 'tool', name: type, detail: oneLine(textIn(item, 'command') ?? '') }];
    case 'file_change':
      return [{ type: 'tool', name: type, detail: oneLine(pathsIn(field(item, 'changes'))) }];
    case 'mcp_tool_call':
      return [{ type: 'tool', name: type, detail: oneLine(textIn(item, 'tool') ?? '') }];
    case 'web_search':
      return [{ type: 'tool', name: type, detail: oneLine(textIn(item, 'query') ?? '') }];
    default:
      return [];
  }
}

function pathsIn(changes: unknown): string {
  if (!Array.isArray(changes)) return '';
  return changes
    .slice(0, 20)
    .map((change) => textIn(objectOf(change), 'path') ?? '')
    .join(' ');
}

/** Attempts to come through again are told as errors, too. */
function troubleOf(message: string | null): AgentEvent[] {
  if (message === null) return [];
  const text = oneLine(sentenceOf(message));
  return [
    message.startsWith('Reconnecting') ? { type: 'retry', reason: text } : { type: 'error', message: text },
  ];
}

/** The API's own error body stands in the message where the program knows nothing better. */
function sentenceOf(message: string): string {
  const said = textIn(objectIn(readObject(message), 'error'), 'message') ?? message;
  // The gateway's address in the sandbox tells nobody anything.
  return said.replace(/, url: \S+/, '');
}

function usageOf(usage: Fields | null): AgentEvent {
  const cacheReadTokens = countIn(usage, 'cached_input_tokens');
  const cacheWriteTokens = countIn(usage, 'cache_write_input_tokens');
  return {
    type: 'usage',
    inputTokens: Math.max(0, countIn(usage, 'input_tokens') - cacheReadTokens - cacheWriteTokens),
    cacheReadTokens,
    cacheWriteTokens,
    outputTokens: countIn(usage, 'output_tokens'),
    turns: null,
  };
}

/** The program tells in words alone why a turn failed: these are about the API. */
const MODEL_TROUBLE = [
  /\bstatus:? (?:4\d\d|5\d\d)\b/i,
  /\b(?:quota|billing|usage limit|rate limit|overloaded|at capacity|high demand|unauthori[sz]ed)\b/i,
  /\bstream (?:disconnected|closed)\b|\bconnection (?:failed|refused|reset)\b|error sending request/i,
];

function endOf(message: string | null): AgentEvent {
  const fromApi = objectIn(readObject(message ?? ''), 'error') !== null;
  const text = message === null ? 'no reason given' : sentenceOf(message);
  const why = fromApi || MODEL_TROUBLE.some((pattern) => pattern.test(text)) ? 'model' : 'work';
  return { type: 'end', ok: false, why, reason: oneLine(text) };
}

function judge(exit: AgentExit): AgentOutcome {
  if (exit.timedOut) return timeIsUp('Codex');
  const end = exit.events.findLast((event) => event.type === 'end');
  if (end?.ok === false) return { kind: 'failed', why: end.why ?? 'work', reason: `Codex: ${end.reason}` };
  if (!end || exit.code !== 0) {
    const said = lastLine(exit.stderrTail);
    const how = `Codex ended with code ${exit.code}${end ? '' : ' and without a result'}`;
    return { kind: 'failed', why: 'work', reason: said ? `${how}: ${said}` : how };
  }
  if (!exit.wantsOutput) return { kind: 'done', output: null };
  const words = exit.events.findLast((event) => event.type === 'text')?.text ?? '';
  const output = answerIn(exit.outputText ?? words);
  return output === undefined ? noAnswer('Codex') : { kind: 'done', output };
}
