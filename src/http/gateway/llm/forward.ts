import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { ModelApi } from '../../../agent/driver.ts';
import { noUsage } from '../../../services/models/usage.ts';
import type { CallEnd, ModelTarget } from '../backend.ts';
import { headersForProvider, headersForSandbox } from './headers.ts';
import { createMeter } from './meter.ts';
import { refuseAs } from './refusals.ts';
import { type Trouble, troubleOf } from './trouble.ts';

/** Silence of a provider after which a call is given up: models think long, but they ping. Milliseconds. */
const SILENCE_MS = 10 * 60_000;
/** Of a refusal's body, which is passed on whole only if it is no longer. */
const REFUSAL_BYTES = 64 * 1024;

export interface Connections {
  readonly http: http.Agent;
  readonly https: https.Agent;
  close(): void;
}

/** Connections to providers that are kept: a handshake for each call would cost more than all the rest. */
export function createConnections(): Connections {
  const agents = { http: new http.Agent({ keepAlive: true }), https: new https.Agent({ keepAlive: true }) };
  return {
    ...agents,
    close() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

export interface Forwarding {
  readonly api: ModelApi;
  /** The provider's own path, with its query. */
  readonly path: string;
  readonly incoming: IncomingMessage;
  readonly body: Buffer;
  readonly raw: ServerResponse;
  readonly target: ModelTarget;
  readonly connections: Connections;
}

/** Sends a call on and its reply back as it comes, and tells how it came out. Never throws. */
export async function forward(call: Forwarding): Promise<CallEnd> {
  // It waited for its budget, and the agent did not wait with it.
  if (call.raw.destroyed) return { ...nothing(null), trouble: null };
  const sent = await send(call).catch(() => null);
  const reply = sent?.reply ?? null;
  if (call.raw.destroyed) {
    reply?.destroy();
    // Nobody heard the answer, but the provider has begun to work on it.
    return { ...nothing(reply?.statusCode ?? null), reported: false, trouble: null };
  }
  if (reply === null) {
    refuseAs(call.api, call.raw, { why: 'unreachable', text: 'the model provider cannot be reached' });
    return nothing(null);
  }
  return (reply.statusCode ?? 500) < 400
    ? stream(call, reply)
    : passRefusal(call, reply, sent?.secrets ?? []);
}

const nothing = (status: number | null, trouble: Trouble | null = null): CallEnd => ({
  status,
  usage: noUsage,
  reported: true,
  replyBytes: 0,
  trouble: trouble?.kind ?? (status === null ? 'overload' : null),
  retryAfter: trouble?.retryAfter ?? null,
});

interface Sent {
  readonly reply: IncomingMessage;
  /** What stands for the credential on the request, in the pieces in which a text could show it. */
  readonly secrets: readonly string[];
}

/** A piece of a header that is shorter is a word of its scheme. */
const SECRET_LENGTH = 12;

async function send({ path, incoming, body, raw, target, connections }: Forwarding): Promise<Sent> {
  const url = new URL(target.baseUrl + target.pathOf(path));
  const method = incoming.method ?? 'POST';
  const passed = headersForProvider(incoming.headers) as Record<string, string>;
  const authorization = await target.authorize({ method, url, headers: passed, body });
  const secure = url.protocol === 'https:';
  const headers = {
    ...passed,
    ...authorization,
    ...(body.length > 0 ? { 'content-length': body.length } : {}),
  };
  const secrets = Object.values(authorization)
    .flatMap((value) => value.split(/[\s,=]+/))
    .filter((piece) => piece.length >= SECRET_LENGTH);
  return new Promise((resolve, reject) => {
    const outgoing = (secure ? https : http).request(url, {
      method,
      headers,
      agent: secure ? connections.https : connections.http,
      timeout: SILENCE_MS,
    });
    // An agent that goes away takes its call along: nobody would read the rest.
    raw.once('close', () => outgoing.destroy());
    outgoing.once('response', (reply) => resolve({ reply, secrets }));
    outgoing.on('error', reject);
    outgoing.on('timeout', () => outgoing.destroy(new Error('the model provider was silent for too long')));
    outgoing.end(body);
  });
}

/** Passes each piece on as it comes, no faster than it is taken, and lets the meter see it. */
function stream({ raw }: Forwarding, reply: IncomingMessage): Promise<CallEnd> {
  const meter = createMeter(reply.headers['content-type']);
  raw.writeHead(reply.statusCode ?? 200, headersForSandbox(reply.headers));
  raw.flushHeaders();
  return new Promise((resolve) => {
    const finish = (whole: boolean): void => {
      const { usage, reported, bytes } = meter.end();
      const silent = { trouble: null, retryAfter: null };
      resolve({
        status: reply.statusCode ?? 200,
        usage,
        reported: reported && whole,
        replyBytes: bytes,
        ...silent,
      });
    };
    reply.on('data', (chunk: Buffer) => {
      meter.push(chunk);
      if (!raw.write(chunk)) reply.pause();
    });
    raw.on('drain', () => reply.resume());
    reply.once('end', () => raw.end());
    reply.once('error', () => raw.destroy());
    reply.once('close', () => {
      // A reply that broke off must not look like one that came to its end.
      if (!reply.complete) raw.destroy();
      finish(reply.complete);
    });
  });
}

/** Passes a refusal on without what it may quote of the request; one of the credential is told in our words. */
async function passRefusal(
  { api, raw }: Forwarding,
  reply: IncomingMessage,
  secrets: readonly string[],
): Promise<CallEnd> {
  const status = reply.statusCode ?? 500;
  const said = (await readSome(reply)).toString('utf8');
  const body = secrets.reduce((text, secret) => text.replaceAll(secret, '***'), said);
  const trouble = troubleOf({ status, headers: reply.headers, body });
  if (trouble?.kind === 'credential') {
    const text =
      'the model provider refused the credential; set another one with `specwright credentials set`';
    refuseAs(api, raw, { why: 'credential', text });
  } else {
    const headers = headersForSandbox(reply.headers);
    delete headers['content-length'];
    raw.writeHead(status, headers).end(body);
  }
  return nothing(status, trouble);
}

async function readSome(reply: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const piece of reply as AsyncIterable<Buffer>) {
      bytes += piece.length;
      if (bytes > REFUSAL_BYTES) break;
      pieces.push(piece);
    }
  } catch {
    // It broke off: what came of it is what there is to pass on.
  }
  return Buffer.concat(pieces);
}
