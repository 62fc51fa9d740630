import type { FastifyReply, FastifyRequest } from 'fastify';
import { GATEWAY_PREFIX } from './backend.ts';

/** Every refusal of the gateway in one place; no text repeats what came in. */
const REFUSALS = {
  unknown: { status: 401, text: 'this sandbox is not known here' },
  no_generation: { status: 400, text: 'the request names no sandbox generation' },
  stale: { status: 410, text: 'this sandbox has been replaced or its spec is over: stop' },
  unreadable: { status: 400, text: 'the body is not what this address takes' },
  too_large: { status: 413, text: 'the body is too large' },
  unsupported: { status: 415, text: 'the body has a type that this address does not take' },
  no_route: { status: 404, text: 'the gateway has no such address' },
  not_open: { status: 409, text: 'this step is not open' },
  other_repository: { status: 403, text: 'this sandbox reaches its own repository only' },
  no_git_service: {
    status: 403,
    text: 'the git gateway serves fetch and push over smart HTTP, nothing else',
  },
  host_refused: { status: 403, text: 'the git host refused this' },
  busy: { status: 503, text: 'not possible right now, try again' },
  host_away: { status: 502, text: 'the git host cannot be reached, try again' },
  failed: { status: 500, text: 'the gateway failed' },
} as const;

export type Refusal = keyof typeof REFUSALS;

/**
 * Answers with a refusal: plain text where git asks, since git shows it as "remote: …", JSON elsewhere. A 410 carries
 * `stop`, which the runner obeys.
 */
export function refuse(request: FastifyRequest, reply: FastifyReply, refusal: Refusal): FastifyReply {
  const { status, text } = REFUSALS[refusal];
  // What is still to come of the body is not read, so the connection is of no use for another request.
  if (!request.raw.complete) reply.header('connection', 'close');
  if (isGit(request)) return reply.code(status).type('text/plain').send(`${text}\n`);
  return reply.code(status).send(refusal === 'stale' ? { stop: true, error: text } : { error: text });
}

function isGit(request: FastifyRequest): boolean {
  return request.url.startsWith(`${GATEWAY_PREFIX}/git/`);
}
