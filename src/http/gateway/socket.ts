import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { GATEWAY_PREFIX } from './backend.ts';
import { refusePlain, serveConnect, type TunnelBackend } from './egress/connect.ts';
import { tagWithSandbox } from './identity.ts';

/** Runner, git, the agent's calls, and package managers, which open many at once. */
const CONNECTIONS = 256;

/**
 * Serves the gateway, and nothing else of the app, on the Unix socket of one sandbox: a request's identity comes from
 * the socket, never from a header, and its path is taken as below GATEWAY_PREFIX. `app` must be ready. Who may
 * connect is the business of whoever owns the socket's folder.
 */
export async function serveOnSocket(
  app: FastifyInstance,
  backend: TunnelBackend,
  { socketPath, sandboxId }: { socketPath: string; sandboxId: string },
): Promise<{ close(): Promise<void> }> {
  const server = createServer((request, response) => {
    if (!request.url?.startsWith('/')) return void refusePlain(backend, sandboxId, { request, response });
    tagWithSandbox(request, sandboxId);
    request.url = `${GATEWAY_PREFIX}${request.url}`;
    app.routing(request, response);
  });
  server.on('connect', (request, socket, head) => {
    void serveConnect(backend, sandboxId, { request, socket: socket as Socket, head });
  });
  server.maxConnections = CONNECTIONS;
  // Those that became tunnels are no longer the HTTP server's to close, and it would wait for them for ever.
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path: socketPath }, resolve);
  });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
