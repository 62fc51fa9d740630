import { randomUUID } from 'node:crypto';
import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify';
import { messageOf } from '../errors.ts';
import type { Logger } from '../log.ts';

/** One refusal as RFC 9457 describes it. */
export interface Problem {
  readonly status: number;
  readonly title: string;
  /** What to do about it. */
  readonly detail?: string;
}

/** Answers with problem+json. */
export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply
    .code(problem.status)
    .type('application/problem+json')
    .header('cache-control', 'no-store')
    .send({ type: 'about:blank', ...problem });
}

/**
 * Makes a plugin's errors answer with problem+json: the caller gets an opaque id, the log gets the error under the
 * same id, and neither a message nor a stack leaves the process.
 */
export function answerErrorsAsProblems(app: FastifyInstance, log: Logger): void {
  app.setErrorHandler((error: FastifyError, _request, reply) => {
    const status = error.statusCode ?? 500;
    // Fastify's own refusals of a request (a body too large, a bad URL) are worded for the caller.
    if (status < 500) return sendProblem(reply, { status, title: messageOf(error) });
    const id = randomUUID();
    log.error({ err: error, problem: id }, 'request failed');
    return sendProblem(reply, {
      status: 500,
      title: 'Something went wrong here.',
      detail: `Nothing is known to be wrong with your request. The log has the cause under ${id}.`,
    });
  });
}
