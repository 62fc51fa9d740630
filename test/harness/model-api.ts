import http, { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { zstdDecompressSync } from 'node:zlib';
import { eventStreamMessage } from './event-stream.ts';

/** What both stubs of model APIs share: what they were asked, how an answer is described, how it is streamed. */

/** A part of a model's answer; `input` is the tool's arguments. */
export type ModelBlock =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'tool_use'; readonly name: string; readonly input: Readonly<Record<string, unknown>> };

/** Tokens that an answer says it cost; what is left out is 0, and 1,000 in and 50 out where nothing is said. */
export interface ModelUsage {
  /** Not read from the cache and not written into it. */
  readonly input?: number;
  readonly cacheRead?: number;
  readonly cacheWrite?: number;
  readonly output?: number;
}

/** An answer that is an error, in the API's own shape. */
export interface ModelFault {
  readonly status: number;
  /** The API's word for it, `rate_limit_error`. */
  readonly type: string;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What the model says to one request. */
export type ModelAnswer =
  | { readonly fault: ModelFault }
  | {
      readonly blocks: readonly ModelBlock[];
      readonly usage?: ModelUsage;
      /** Before the first byte of the answer, milliseconds. */
      readonly waitMs?: number;
      /** Between two events of the stream, milliseconds. */
      readonly paceMs?: number;
      /** Text travels in pieces of so many characters; whole where nothing is said. */
      readonly pieceLength?: number;
      /** Breaks the connection after so many events of the stream. */
      readonly cutAfter?: number;
    };

/** The parts of a request that tests read; everything else is there as it came. */
export interface ModelRequest {
  readonly model?: string;
  readonly stream?: boolean;
  readonly tools?: readonly { readonly name?: string; readonly type?: string }[];
  readonly [key: string]: unknown;
}

/** Decides an answer: `turn` counts the requests that were played, from 0. */
export type ModelPlay = (body: ModelRequest, turn: number) => ModelAnswer | Promise<ModelAnswer>;

/** One request as it arrived. */
export interface SeenCall {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: ModelRequest;
}

export interface StubOptions {
  readonly play: ModelPlay;
  /** False keeps no requests, for measurements with many of them. */
  readonly record?: boolean;
}

export interface ModelStub {
  /** Without a path, http://127.0.0.1:{port}. */
  readonly url: string;
  readonly calls: SeenCall[];
  close(): Promise<void>;
}

/** Serves `answer` on a free port of this machine; what it throws ends the connection and shows in `close`. */
export async function serveModel(
  options: StubOptions,
  answer: (call: SeenCall, response: ServerResponse) => Promise<void>,
): Promise<ModelStub> {
  const calls: SeenCall[] = [];
  const failures: unknown[] = [];
  const server = http.createServer((request, response) => {
    const handle = async (): Promise<void> => {
      const call = await readCall(request);
      if (options.record !== false) calls.push(call);
      await answer(call, response);
    };
    handle().catch((error: unknown) => {
      // A client that went away is its own affair; what the stub itself did wrong must fail the test.
      if (!request.destroyed || request.complete) failures.push(error);
      response.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    async close() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
      if (failures.length > 0) throw new AggregateError(failures, 'the model stub failed');
    },
  };
}

async function readCall(request: IncomingMessage): Promise<SeenCall> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const raw = Buffer.concat(chunks);
  const bytes = request.headers['content-encoding'] === 'zstd' ? zstdDecompressSync(raw) : raw;
  const { method = '', url: path = '', headers } = request;
  return { method, path, headers, body: bytes.length > 0 ? (JSON.parse(String(bytes)) as ModelRequest) : {} };
}

/** One event of a stream: its name is in `type`. */
export type StreamEvent = Readonly<Record<string, unknown>> & { readonly type: string };

/** Streams events, at the pace and to the point that the answer says: as server-sent events, or as Amazon does. */
export async function streamEvents(
  response: ServerResponse,
  events: Iterable<StreamEvent>,
  how: {
    paceMs?: number;
    cutAfter?: number;
    headers?: Readonly<Record<string, string>>;
    encoding?: 'sse' | 'amazon';
  },
): Promise<void> {
  response.writeHead(200, {
    'content-type':
      how.encoding === 'amazon' ? 'application/vnd.amazon.eventstream' : 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    ...how.headers,
  });
  response.flushHeaders();
  let sent = 0;
  for (const event of events) {
    if (sent === how.cutAfter) {
      response.destroy();
      return;
    }
    if (how.paceMs) await delay(how.paceMs);
    if (response.destroyed) return;
    response.write(
      how.encoding === 'amazon'
        ? eventStreamMessage(event)
        : `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`,
    );
    sent += 1;
  }
  response.end();
}

/** Answers with one JSON document. */
export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** Cuts text into pieces of at most `length` characters; one piece where no length is given. */
export function pieces(text: string, length = text.length): string[] {
  const cut: string[] = [];
  for (let at = 0; at < text.length; at += length) cut.push(text.slice(at, at + length));
  return cut.length > 0 ? cut : [''];
}

/** Answers in this order, whatever is asked; afterwards "Done." for ever. */
export function inOrder(...answers: readonly ModelAnswer[]): ModelPlay {
  return (_, turn) => answers[turn] ?? { blocks: [{ type: 'text', text: 'Done.' }] };
}
