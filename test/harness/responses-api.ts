import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type ModelAnswer,
  type ModelBlock,
  type ModelFault,
  type ModelRequest,
  type ModelStub,
  type ModelUsage,
  pieces,
  type SeenCall,
  type StreamEvent,
  type StubOptions,
  sendJson,
  serveModel,
  streamEvents,
} from './model-api.ts';

/** The errors that the Responses API answers with. */
export const responsesFaults = {
  unauthorized: fault(401, 'invalid_api_key', 'Incorrect API key provided.'),
  badRequest: fault(400, 'invalid_value', 'Invalid value for input.'),
  noCredit: fault(429, 'insufficient_quota', 'You exceeded your current quota, please check your plan.'),
  overloaded: fault(503, 'server_is_overloaded', 'Our servers are currently overloaded.'),
  /** `seconds` is what `retry-after` says. */
  rateLimited: (seconds: number): ModelFault => ({
    ...fault(429, 'rate_limit_exceeded', 'Rate limit reached for requests.'),
    headers: { 'retry-after': String(seconds) },
  }),
} as const;

function fault(status: number, type: string, message: string): ModelFault {
  return { status, type, message };
}

/** A stub of OpenAI's Responses API: `POST /v1/responses` (streamed or whole) and `GET /v1/models`. */
export function startResponsesApi(options: StubOptions): Promise<ModelStub> {
  let turn = 0;
  return serveModel(options, async (call, response) => {
    const path = call.path.split('?')[0];
    if (path === '/v1/models') return sendJson(response, 200, { object: 'list', data: [], models: [] });
    if (path !== '/v1/responses' || call.method !== 'POST') {
      return sendFault(response, fault(404, 'not_found', `no ${call.method} ${call.path}`));
    }
    await send(call, response, { turn, answer: await options.play(call.body, turn++) });
  });
}

const CODE_TOOL = 'exec';

/** Codex's own tool for commands has had several names and shapes: the call that fits the tools of `body`. */
export function shellCall(body: ModelRequest, command: string): ModelBlock {
  const names = new Set((body.tools ?? []).map(({ name, type }) => name ?? type));
  if (names.has('exec_command')) return { type: 'tool_use', name: 'exec_command', input: { cmd: command } };
  if (names.has('shell_command')) return { type: 'tool_use', name: 'shell_command', input: { command } };
  if (names.has('shell'))
    return { type: 'tool_use', name: 'shell', input: { command: ['bash', '-lc', command] } };
  // Newer models get one tool that runs JavaScript, and their tools stand in the input.
  const code = `const r = await tools.exec_command(${JSON.stringify({ cmd: command })}); text(r.output);`;
  return { type: 'tool_use', name: CODE_TOOL, input: { code } };
}

async function send(
  call: SeenCall,
  response: ServerResponse,
  { turn, answer }: { turn: number; answer: ModelAnswer },
): Promise<void> {
  if ('fault' in answer) return sendFault(response, answer.fault);
  if (answer.waitMs) await delay(answer.waitMs);
  const whole = {
    id: `resp_${turn}`,
    object: 'response',
    status: 'completed',
    model: call.body.model ?? 'unknown',
    output: answer.blocks.map((block, index) => itemOf(block, `${turn}_${index}`)),
    usage: usageOf(answer.usage ?? { input: 1000, output: 50 }),
  };
  if (call.body.stream !== true) return sendJson(response, 200, whole);
  await streamEvents(response, numbered(eventsOf(whole, answer.pieceLength)), answer);
}

function sendFault(response: ServerResponse, { status, type, message, headers }: ModelFault): void {
  sendJson(response, status, { error: { message, type, code: type, param: null } }, headers);
}

type Item = Readonly<Record<string, unknown>> & { readonly id: string };

function itemOf(block: ModelBlock, id: string): Item {
  if (block.type === 'tool_use' && block.name === CODE_TOOL) {
    const { code } = block.input;
    return { type: 'custom_tool_call', id: `ctc_${id}`, call_id: `call_${id}`, name: CODE_TOOL, input: code };
  }
  return block.type === 'text'
    ? {
        type: 'message',
        id: `msg_${id}`,
        role: 'assistant',
        content: [{ type: 'output_text', text: block.text }],
      }
    : {
        type: 'function_call',
        id: `fc_${id}`,
        call_id: `call_${id}`,
        name: block.name,
        arguments: JSON.stringify(block.input),
      };
}

function usageOf({ input = 0, cacheRead = 0, cacheWrite = 0, output = 0 }: ModelUsage): object {
  // This API counts what came from the cache as input, too.
  const all = input + cacheRead + cacheWrite;
  return {
    input_tokens: all,
    input_tokens_details: { cached_tokens: cacheRead },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: all + output,
  };
}

function* eventsOf(
  whole: { readonly id: string; readonly output: readonly Item[] },
  pieceLength: number | undefined,
): Generator<StreamEvent> {
  const begun = { ...whole, status: 'in_progress', output: [], usage: null };
  yield { type: 'response.created', response: begun };
  for (const [output_index, item] of whole.output.entries()) {
    const place = { output_index, item_id: item.id };
    yield { type: 'response.output_item.added', output_index, item: { ...item, content: [], arguments: '' } };
    if (item.type === 'message') {
      const [{ text }] = item.content as [{ text: string }];
      for (const delta of pieces(text, pieceLength)) {
        yield { type: 'response.output_text.delta', ...place, content_index: 0, delta };
      }
    } else if (item.type === 'function_call') {
      for (const delta of pieces(String(item.arguments), pieceLength)) {
        yield { type: 'response.function_call_arguments.delta', ...place, delta };
      }
    }
    yield { type: 'response.output_item.done', output_index, item };
  }
  yield { type: 'response.completed', response: whole };
}

function* numbered(events: Iterable<StreamEvent>): Generator<StreamEvent> {
  let sequence_number = 0;
  for (const event of events) yield { ...event, sequence_number: sequence_number++ };
}
