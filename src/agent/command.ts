import type { AgentDriver, AgentEvent, AgentExit, AgentModel, AgentOutcome, AgentTask } from './driver.ts';
import { noAnswer, timeIsUp } from './endings.ts';
import { answerIn, lastLine } from './untrusted.ts';

const PROMPT_FILE = 'prompt.md';
const SCHEMA_FILE = 'schema.json';
const OUTPUT_FILE = 'output.json';

/**
 * Any program, run by /bin/sh in the work tree. It finds its prompt in the file $PROMPT_FILE; where an answer is asked
 * for, the JSON Schema in $OUTPUT_SCHEMA_FILE, and it writes the answer to $OUTPUT_FILE. Exit code and git decide.
 */
export const commandDriver: AgentDriver = {
  name: 'command',
  cli: null,
  buildCommand(task) {
    const schema = task.outputSchema === null ? null : JSON.stringify(task.outputSchema);
    return {
      argv: ['/bin/sh', '-c', task.command ?? 'echo "no agentCommand is set" >&2; exit 127'],
      env: environmentFor(task),
      files: { [PROMPT_FILE]: task.prompt, ...(schema === null ? {} : { [SCHEMA_FILE]: schema }) },
      stdin: null,
      outputFile: OUTPUT_FILE,
    };
  },
  parseLine,
  judge,
};

function environmentFor(task: AgentTask): Record<string, string> {
  const { scratch, model } = task;
  return {
    PROMPT_FILE: `${scratch}/${PROMPT_FILE}`,
    OUTPUT_FILE: `${scratch}/${OUTPUT_FILE}`,
    ...(task.outputSchema === null ? {} : { OUTPUT_SCHEMA_FILE: `${scratch}/${SCHEMA_FILE}` }),
    ...(model && modelEnvironment(model)),
  };
}

/** Whatever key is given, the gateway puts the real one in its place. */
const KEY = 'sandbox';

function modelEnvironment({ api, name, baseUrl }: AgentModel): Record<string, string> {
  const named: Record<string, string> = name === null ? {} : { MODEL: name };
  if (api === 'openai') return { OPENAI_BASE_URL: `${baseUrl}/v1`, OPENAI_API_KEY: KEY, ...named };
  if (api === 'anthropic') return { ANTHROPIC_BASE_URL: baseUrl, ANTHROPIC_AUTH_TOKEN: KEY, ...named };
  return { MODEL_BASE_URL: baseUrl, ...named };
}

/** What it prints is shown as it is. */
function parseLine(line: string): readonly AgentEvent[] {
  const text = line.slice(0, 4000).toWellFormed().trimEnd();
  return text === '' ? [] : [{ type: 'text', text }];
}

function judge(exit: AgentExit): AgentOutcome {
  if (exit.timedOut) return timeIsUp('The agent command');
  if (exit.code !== 0) {
    const said = lastLine(exit.stderrTail);
    const how = `The agent command ended with code ${exit.code}`;
    return { kind: 'failed', why: 'work', reason: said ? `${how}: ${said}` : how };
  }
  if (!exit.wantsOutput) return { kind: 'done', output: null };
  const output = answerIn(exit.outputText ?? '');
  return output === undefined ? noAnswer('The agent command') : { kind: 'done', output };
}
