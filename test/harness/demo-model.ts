import { demoScript } from './artifacts.ts';
import type { ModelAnswer, ModelBlock, ModelPlay, ModelRequest } from './model-api.ts';
import { shellCall } from './responses-api.ts';

const usage = { input: 2_000, cacheRead: 10_000, cacheWrite: 500, output: 300 };

/**
 * A model that does the demo's work through the tools of a real agent, whichever API it is asked by: the answers of
 * the planning phases by their schema, the edits of each task as one shell command, and `prying` behind them, whose
 * output the agent sends back. It remembers nothing.
 */
export function demoModel(prying = 'true'): ModelPlay {
  const { phases, tasks } = demoScript();
  return (body) => {
    const wanted = wantedFields(body);
    if (wanted !== null) {
      const phase = Object.values(phases).find(({ output }) => sameNames(Object.keys(output), wanted));
      if (!phase) throw new Error(`no phase has the fields ${wanted.join(', ')}`);
      return answer(body, phase.output);
    }
    if (hasToolResult(body)) return { blocks: [{ type: 'text', text: 'Done, as the task says.' }], usage };
    const prompt = JSON.stringify(body.messages ?? body.input);
    const id = /# The task\\n\\n.{0,80}?(TSK-\d{3}): /.exec(prompt)?.[1] ?? '';
    const task = tasks[id];
    if (!task) throw new Error(`there is no task "${id}"`);
    const said: ModelBlock = { type: 'text', text: `I write the files of ${id}.` };
    return { blocks: [said, command(body, [...task.edits.map(writing), prying].join(' && '))], usage };
  };
}

/** The names at the top of the answer that is asked for; null where edits are. */
function wantedFields(body: ModelRequest): string[] | null {
  const tool = (body.tools ?? []).find(({ name }) => name === 'StructuredOutput') as
    | { input_schema?: { properties?: object } }
    | undefined;
  const text = body.text as { format?: { schema?: { properties?: object } } } | undefined;
  const properties = tool?.input_schema?.properties ?? text?.format?.schema?.properties;
  return properties === undefined ? null : Object.keys(properties);
}

function sameNames(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((name) => others.includes(name));
}

function answer(body: ModelRequest, output: object): ModelAnswer {
  return body.messages === undefined
    ? { blocks: [{ type: 'text', text: JSON.stringify(output) }], usage }
    : { blocks: [{ type: 'tool_use', name: 'StructuredOutput', input: { ...output } }], usage };
}

function hasToolResult(body: ModelRequest): boolean {
  const said = JSON.stringify(body.messages ?? body.input);
  return /"type":"(?:tool_result|function_call_output|custom_tool_call_output)"/.test(said);
}

function command(body: ModelRequest, text: string): ModelBlock {
  if (body.messages === undefined) return shellCall(body, text);
  return { type: 'tool_use', name: 'Bash', input: { command: text, description: 'write the files' } };
}

function writing({ path, content }: { path: string; content: string }): string {
  const coded = Buffer.from(content).toString('base64');
  return `mkdir -p "$(dirname ${path})" && printf %s ${coded} | base64 -d > ${path}`;
}
