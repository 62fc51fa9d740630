import type { FastifyReply, FastifyRequest } from 'fastify';
import type { GitBackend, GitTarget } from '../backend.ts';
import type { Upstream } from './upstream.ts';

/** What one git request works with. */
export interface GitCall {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly backend: GitBackend;
  readonly target: GitTarget;
  readonly upstream: Upstream;
  readonly packBytes: number;
}
