import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { FastifyPluginAsync } from 'fastify';
import { WEBHOOK_PATH } from '../config.ts';
import { crashPoint } from '../crash-point.ts';
import type { Logger } from '../log.ts';
import type { Accept, Acceptance } from '../services/inbox/accept.ts';
import { type BodyLimits, type NoBody, type ReadingMemory, readBody } from './ingress/body.ts';
import { type Answer, answerOf, refuse, respond } from './ingress/respond.ts';
import { isSigned, parseSignature } from './ingress/signature.ts';

export interface IngressOptions {
  accept: Accept;
  /** The webhook secret and, while it is being changed, the one before. Asked for each delivery. */
  secrets: () => readonly string[];
  log: Logger;
  /** Default: the path Probot uses. */
  path?: string;
  /** Default 25 MiB (GitHub's own cap is 25 MB) and 8 s (GitHub gives up after ten). */
  limits?: Partial<BodyLimits>;
}

/** Of all requests together, while they are being read. */
const READING_BYTES = 256 * 1024 * 1024;

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
}

/**
 * The one door for webhooks, taken raw before anything parses: 202 once a delivery is committed, 200 for a GUID that
 * was there already, 401 for a signature that is no good, 503 if it may not have been committed (GitHub or our sweep
 * sends it again), 400, 405, 408 and 413 for what is no webhook. Bodies of answers are fixed words.
 */
export function ingress(options: IngressOptions): FastifyPluginAsync {
  const limits: BodyLimits = { maxBytes: 25 * 1024 * 1024, timeoutMs: 8_000, ...options.limits };
  const memory: ReadingMemory = { bytes: 0, maxBytes: READING_BYTES };
  const path = options.path ?? WEBHOOK_PATH;
  return async (app) => {
    const receiving: Receiving = { ...options, limits, memory, closing: false };
    app.addHook('preClose', async () => {
      receiving.closing = true;
    });
    takeFirst(app.server, path, (exchange) => void answer(exchange, receiving));
    app.all(path, {
      // Where the path came in another form (a query), or not through the server's own listener.
      onRequest: async (request, reply) => {
        reply.hijack();
        void answer({ request: request.raw, response: reply.raw }, receiving);
      },
      // Never reached: the hook has taken the request.
      handler: async () => {},
    });
  };
}

/** Past the router, which costs a delivery a tenth of its time. */
function takeFirst(server: Server, path: string, take: (exchange: Exchange) => void): void {
  const others = server.listeners('request') as ((...args: unknown[]) => void)[];
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    if (request.url === path) return take({ request, response });
    for (const other of others) other.call(server, request, response);
  });
}

async function answer(exchange: Exchange, options: Receiving): Promise<void> {
  try {
    await receive(exchange, options);
  } catch (error) {
    options.log.error({ kind: (error as Error).name }, 'webhook not answered');
    if (!exchange.response.headersSent) refuse(exchange, 503, 'try again later\n');
  }
}

interface Receiving extends IngressOptions {
  limits: BodyLimits;
  memory: ReadingMemory;
  /** The process stops: connections that would stay open are closed with their answer. */
  closing: boolean;
}

async function receive(exchange: Exchange, options: Receiving): Promise<void> {
  const { request, response } = exchange;
  const { log } = options;
  if (options.closing) return refuse(exchange, 503, 'try again later\n');
  if (request.method !== 'POST') return refuse(exchange, 405, 'method not allowed\n');
  const signature = parseSignature(request.headers['x-hub-signature-256']);
  if (!signature) return refuseSignature(exchange, log);
  const guid = headerValue(request, 'x-github-delivery');
  const event = headerValue(request, 'x-github-event');
  if (!guid || !event) return refuse(exchange, 400, 'missing or malformed delivery headers\n');
  const body = await readBody(request, options.limits, options.memory);
  if (typeof body === 'string') return refuseBody(exchange, body, log);
  if (!isSigned(body, signature, options.secrets())) return refuseSignature(exchange, log);
  crashPoint('ingress.verified');
  const acceptance = await options.accept({ guid, event, body });
  crashPoint('ingress.before-ack');
  log.debug({ delivery: guid, event, status: answers[acceptance].status }, 'webhook answered');
  if (options.closing) response.setHeader('connection', 'close');
  respond(response, answers[acceptance]);
}

const answers: Record<Acceptance, Answer> = {
  stored: answerOf(202, 'accepted\n'),
  duplicate: answerOf(200, 'already accepted\n'),
  unavailable: answerOf(503, 'try again later\n'),
};

/** Both go into the database and the log, so they are held to the characters GitHub uses. */
function headerValue(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' && /^[\w-]{1,100}$/.test(value) ? value : undefined;
}

function refuseSignature(exchange: Exchange, log: Logger): void {
  log.warn({ address: exchange.request.socket.remoteAddress }, 'webhook with a bad signature refused');
  refuse(exchange, 401, 'bad signature\n');
}

const refusals: Record<Exclude<NoBody, 'gone'>, [number, string]> = {
  large: [413, 'too large\n'],
  slow: [408, 'too slow\n'],
  busy: [503, 'try again later\n'],
};

function refuseBody(exchange: Exchange, why: NoBody, log: Logger): void {
  log.warn({ address: exchange.request.socket.remoteAddress, why }, 'webhook body not read');
  if (why === 'gone') exchange.response.destroy();
  else refuse(exchange, ...refusals[why]);
}
