import type { FastifyPluginAsync } from 'fastify';
import type { GatewayBackend } from './backend.ts';
import { answerFailure } from './failure.ts';
import { gitRoutes } from './git/routes.ts';
import { authenticate } from './identity.ts';
import { llmRoutes } from './llm/routes.ts';
import { refuse } from './refuse.ts';
import { stepRoutes } from './steps.ts';

export interface GatewayOptions {
  /** Largest push, bytes. */
  readonly packBytes: number;
}

const DEFAULTS: GatewayOptions = { packBytes: 100 * 1024 * 1024 };

/**
 * The one door out of a sandbox, to be registered under GATEWAY_PREFIX: steps, events, git and models. It serves the public
 * server (bearer) and every sandbox's own socket (`serveOnSocket`) alike.
 */
export function gateway(backend: GatewayBackend, options: Partial<GatewayOptions> = {}): FastifyPluginAsync {
  const settings = { ...DEFAULTS, ...options };
  return async (app) => {
    app.decorateRequest('sandbox', null);
    app.addHook('onRequest', authenticate(backend));
    app.setErrorHandler(answerFailure);
    app.setNotFoundHandler((request, reply) => refuse(request, reply, 'no_route'));
    await app.register(stepRoutes(backend));
    await app.register(gitRoutes(backend.git, settings), { prefix: '/git' });
    await app.register(llmRoutes(backend.models), { prefix: '/llm' });
  };
}
