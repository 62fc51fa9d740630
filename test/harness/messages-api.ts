import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type ModelAnswer,
  type ModelBlock,
  type ModelFault,
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

/** The errors that the Messages API answers with. */
export const messagesFaults = {
  unauthorized: fault(401, 'authentication_error', 'invalid x-api-key'),
  badRequest: fault(400, 'invalid_request_error', 'messages: text content blocks must be non-empty'),
  noCredit: fault(
    400,
    'invalid_request_error',
    'Your credit balance is too low to access the Anthropic API.',
  ),
  overloaded: fault(529, 'overloaded_error', 'Overloaded'),
  /** `seconds` is what `retry-after` says. */
  rateLimited: (seconds: number): ModelFault => ({
    ...fault(429, 'rate_limit_error', 'This request would exceed your rate limit.'),
    headers: { 'retry-after': String(seconds) },
  }),
} as const;

function fault(status: number, type: string, message: string): ModelFault {
  return { status, type, message };
}

/**
 * A stub of Anthropic's Messages API: `POST /v1/messages` (streamed or whole), `/v1/messages/count_tokens`,
 * `GET /v1/models`; and of the same API at Bedrock and Vertex, whose paths name the model. Claude Code asks for titles with requests that have no tools: they get a canned title and do
 * not count as turns.
 */
export function startMessagesApi(options: StubOptions): Promise<ModelStub> {
  let turn = 0;
  return serveModel(options, async (call, response) => {
    const path = call.path.split('?')[0];
    if (call.method === 'HEAD') return void response.writeHead(200).end();
    if (path === '/v1/models') return sendJson(response, 200, { data: [], has_more: false });
    if (path === '/v1/messages/count_tokens') return sendJson(response, 200, { input_tokens: 100 });
    const how = call.method === 'POST' ? placeOf(path ?? '', call.body.stream === true) : null;
    if (how === null) return sendFault(response, fault(404, 'not_found_error', `no ${call.method} ${path}`));
    const answer = asksForTitle(call) ? TITLE : await options.play(call.body, turn++);
    await send(call, response, { answer, ...how });
  });
}

interface Place {
  readonly model: string | null;
  readonly streams: boolean;
  readonly encoding: 'sse' | 'amazon';
}

/** What a path asks for; null for a path that none of the three has. */
function placeOf(path: string, streams: boolean): Place | null {
  if (path === '/v1/messages') return { model: null, streams, encoding: 'sse' };
  const [, bedrock = null, invoke] =
    /^\/model\/([^/]+)\/(invoke(?:-with-response-stream)?)$/.exec(path) ?? [];
  if (invoke) return { model: bedrock, streams: invoke !== 'invoke', encoding: 'amazon' };
  const [, vertex = null, predict] =
    /^(?:\/v1)?\/projects\/.+\/models\/([^/:]+):(streamRawPredict|rawPredict)$/.exec(path) ?? [];
  return predict ? { model: vertex, streams: predict !== 'rawPredict', encoding: 'sse' } : null;
}

const TITLE: ModelAnswer = { blocks: [{ type: 'text', text: '{"title":"a title"}' }] };

function asksForTitle({ headers, body }: SeenCall): boolean {
  return (headers['user-agent'] ?? '').startsWith('claude-cli/') && (body.tools ?? []).length === 0;
}

async function send(
  call: SeenCall,
  response: ServerResponse,
  { answer, model, streams, encoding }: Place & { answer: ModelAnswer },
): Promise<void> {
  if ('fault' in answer) return sendFault(response, answer.fault);
  if (answer.waitMs) await delay(answer.waitMs);
  const message = messageOf(model ?? call.body.model ?? 'unknown', answer);
  const headers = { 'request-id': `req_${message.id}` };
  if (!streams) return sendJson(response, 200, message, headers);
  await streamEvents(response, eventsOf(message, answer.pieceLength), { ...answer, headers, encoding });
}

function sendFault(response: ServerResponse, { status, type, message, headers }: ModelFault): void {
  const body = { type: 'error', error: { type, message }, request_id: 'req_refused' };
  sendJson(response, status, body, headers);
}

type Content =
  | Exclude<ModelBlock, { type: 'tool_use' }>
  | (Extract<ModelBlock, { type: 'tool_use' }> & { id: string });

interface Message {
  readonly id: string;
  readonly type: 'message';
  readonly role: 'assistant';
  readonly model: string;
  readonly content: readonly Content[];
  readonly stop_reason: 'tool_use' | 'end_turn';
  readonly stop_sequence: null;
  readonly usage: Readonly<Record<string, number>>;
}

function messageOf(model: string, answer: Extract<ModelAnswer, { blocks: unknown }>): Message {
  const id = `msg_${Math.random().toString(36).slice(2)}`;
  return {
    id,
    type: 'message',
    role: 'assistant',
    model,
    content: answer.blocks.map((block, index) =>
      block.type === 'tool_use' ? { ...block, id: `toolu_${id.slice(4)}${index}` } : block,
    ),
    stop_reason: answer.blocks.some(({ type }) => type === 'tool_use') ? 'tool_use' : 'end_turn',
    stop_sequence: null,
    usage: usageOf(answer.usage ?? { input: 1000, output: 50 }),
  };
}

function usageOf(usage: ModelUsage): Record<string, number> {
  return {
    input_tokens: usage.input ?? 0,
    cache_creation_input_tokens: usage.cacheWrite ?? 0,
    cache_read_input_tokens: usage.cacheRead ?? 0,
    output_tokens: usage.output ?? 0,
  };
}

function* eventsOf(message: Message, pieceLength: number | undefined): Generator<StreamEvent> {
  const { content, stop_reason, stop_sequence, usage } = message;
  const begun = { ...message, content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 } };
  yield { type: 'message_start', message: begun };
  for (const [index, block] of content.entries()) {
    if (block.type === 'text') {
      yield { type: 'content_block_start', index, content_block: { type: 'text', text: '' } };
      for (const text of pieces(block.text, pieceLength)) {
        yield { type: 'content_block_delta', index, delta: { type: 'text_delta', text } };
      }
    } else {
      const { input, ...named } = block;
      yield { type: 'content_block_start', index, content_block: { ...named, input: {} } };
      for (const partial_json of pieces(JSON.stringify(input), pieceLength)) {
        yield { type: 'content_block_delta', index, delta: { type: 'input_json_delta', partial_json } };
      }
    }
    yield { type: 'content_block_stop', index };
  }
  yield { type: 'message_delta', delta: { stop_reason, stop_sequence }, usage };
  yield { type: 'message_stop' };
}
