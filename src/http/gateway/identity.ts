import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { GENERATION_HEADER } from '../../runner/limits.ts';
import type { Caller, GatewayBackend, SandboxIdentity } from './backend.ts';
import { refuse } from './refuse.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set on the gateway's routes once the caller is known; null elsewhere. */
    sandbox: SandboxIdentity | null;
  }
}

/** No header can set a symbol, so only the server that owns the socket can. */
const SANDBOX = Symbol('sandbox');

type Tagged = IncomingMessage & { [SANDBOX]?: string };

/** Marks a request as coming through the socket of one sandbox. */
export function tagWithSandbox(request: IncomingMessage, sandboxId: string): void {
  (request as Tagged)[SANDBOX] = sandboxId;
}

/** The socket counts where there is one; a bearer is looked at only on the public server. */
function callerOf(request: FastifyRequest): Caller | null {
  const sandboxId = (request.raw as Tagged)[SANDBOX];
  if (sandboxId !== undefined) return { sandboxId };
  const bearer = /^Bearer ([\w.~+/=-]{16,512})$/i.exec(request.headers.authorization ?? '')?.[1];
  return bearer === undefined ? null : { bearer };
}

/**
 * An onRequest hook: finds out who calls before anything of the body is read. Answers 401 to an unknown caller,
 * 400 to one that names no generation and 410 to a sandbox that was replaced.
 */
export function authenticate(backend: GatewayBackend) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    const caller = callerOf(request);
    if (caller === null) return refuse(request, reply, 'unknown');
    // An agent sends no header of ours: its calls have the generation in their path.
    const { generation: named } = request.params as { generation?: string };
    const generation = Number(request.headers[GENERATION_HEADER] ?? named);
    if (!Number.isInteger(generation) || generation < 1 || generation > 2 ** 31 - 1) {
      return refuse(request, reply, 'no_generation');
    }
    const found = await backend.identify(caller, generation);
    if (found.kind !== 'ok') return refuse(request, reply, found.kind);
    request.sandbox = found.identity;
    return undefined;
  };
}

/** The caller of a request that has passed `authenticate`. */
export function sandboxOf(request: FastifyRequest): SandboxIdentity {
  if (request.sandbox === null) throw new Error('a gateway route without authentication');
  return request.sandbox;
}
