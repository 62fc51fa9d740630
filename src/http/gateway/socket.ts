import { createServer } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { GATEWAY_PREFIX } from './backend.ts';
import { tagWithSandbox } from './identity.ts';

/** One sandbox needs a handful of connections: runner, git and its agent's calls. */
const CONNECTIONS = 64;

/**
 * Serves the gateway, and nothing else of the app, on the Unix socket of one sandbox: a request's identity comes from
 * the socket, never from a header, and its path is taken as below GATEWAY_PREFIX. `app` must be ready. Who may
 * connect is the business of whoever owns the socket's folder.
 */
export async function serveOnSocket(
  app: FastifyInstance,
  socketPath: string,
  sandboxId: string,
): Promise<{ close(): Promise<void> }> {
  const server = createServer((request, response) => {
    tagWithSandbox(request, sandboxId);
    request.url = `${GATEWAY_PREFIX}${request.url}`;
    app.routing(request, response);
  });
  server.maxConnections = CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path: socketPath }, resolve);
  });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
