import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { RetryableError, StaleError } from '../../errors.ts';
import { type Refusal, refuse } from './refuse.ts';

/** Turns whatever was thrown into a generic answer. Its message stays out of answer and log: it may hold payload. */
export function answerFailure(
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const refusal = refusalOf(error);
  if (refusal === 'failed' || refusal === 'busy') {
    request.log.error(
      { error: error.name, code: error.code, sandbox: request.sandbox?.sandboxId },
      'gateway request failed',
    );
  }
  return refuse(request, reply, refusal);
}

function refusalOf(error: FastifyError): Refusal {
  if (error instanceof RetryableError || error instanceof StaleError) return 'busy';
  if (error.statusCode === 413) return 'too_large';
  if (error.statusCode === 415) return 'unsupported';
  if (error.statusCode !== undefined && error.statusCode < 500) return 'unreadable';
  return 'failed';
}
