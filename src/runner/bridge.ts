/**
 * One loopback address for the gateway, whatever lies behind it, because git and agents speak TCP only.
 * A socket is piped byte by byte. A public URL is proxied, and the bearer is added here, so that no child needs it.
 */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { pipeline } from 'node:stream';
import type { RunnerConfig } from './protocol.ts';

/** Listens on 127.0.0.1 at a free port; answers the URL that stands for the gateway's root. */
export async function startBridge(gateway: RunnerConfig['gateway']): Promise<string> {
  const server: Server =
    gateway.kind === 'socket'
      ? createServer({ allowHalfOpen: true }, (client) => pipeTo(gateway.path, client))
      : await createProxy(new URL(gateway.url), gateway.bearer);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  // The bridge serves for as long as there is work; it alone is no reason to stay.
  server.unref();
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function pipeTo(path: string, client: Socket): void {
  const gateway = connect({ path, allowHalfOpen: true });
  // A side that breaks takes the other along; a side that ends lets the other finish.
  pipeline(client, gateway, () => {});
  pipeline(gateway, client, () => {});
}

async function createProxy(target: URL, bearer: string): Promise<Server> {
  // HTTP is loaded late: it costs 35 ms that a socket bridge does not need.
  const http = await import('node:http');
  const { request } = target.protocol === 'https:' ? await import('node:https') : http;
  const base = target.pathname.replace(/\/$/, '');
  return http.createServer((incoming, answer) => {
    const headers = { ...incoming.headers, host: target.host, authorization: `Bearer ${bearer}` };
    const outgoing = request(
      new URL(target.origin),
      { method: incoming.method, path: `${base}${incoming.url}`, headers },
      (reply) => {
        answer.writeHead(reply.statusCode ?? 502, reply.headers);
        reply.on('error', () => answer.destroy());
        reply.pipe(answer);
      },
    );
    outgoing.on('error', () => {
      if (answer.headersSent) answer.destroy();
      else answer.writeHead(502, { 'content-type': 'text/plain' }).end('the gateway cannot be reached\n');
    });
    incoming.on('error', () => outgoing.destroy());
    answer.on('close', () => outgoing.destroy());
    incoming.pipe(outgoing);
  });
}
