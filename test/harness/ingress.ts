import fastify, { type FastifyInstance } from 'fastify';
import { createPool } from '../../src/db/connect.ts';
import { createDeliveryStore } from '../../src/db/deliveries.ts';
import { type IngressOptions, ingress } from '../../src/http/ingress.ts';
import { createLogger } from '../../src/log.ts';
import { createAccept } from '../../src/services/inbox/accept.ts';
import { type FreshDatabase, freshDatabase } from './database.ts';

export const SECRET = 'the-webhook-secret-of-the-tests-00';

export interface IngressServer {
  app: FastifyInstance;
  /** Full URL of the webhook path. */
  url: string;
  /** Lines that were logged so far. */
  lines: string[];
  close(): Promise<void>;
}

/** The real ingress over HTTP, in front of the database at `databaseUrl`. */
export async function startIngress(
  databaseUrl: string,
  options: Partial<IngressOptions> & { poolSize?: number } = {},
): Promise<IngressServer> {
  const lines: string[] = [];
  const log = createLogger({
    level: 'debug',
    secrets: [],
    destination: { write: (line) => void lines.push(line) },
  });
  const pool = createPool(databaseUrl, options.poolSize ?? 2);
  const accept = createAccept({ store: createDeliveryStore(pool), log });
  const app = fastify();
  await app.register(ingress({ accept, secrets: () => [SECRET], log, ...options }));
  app.get('/elsewhere', async () => 'here');
  const address = await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    app,
    url: `${address}/api/github/webhooks`,
    lines,
    async close() {
      app.server.closeAllConnections();
      await app.close();
      await pool.end();
    },
  };
}

/** The real ingress in front of an empty database, which goes with it. */
export async function startFreshIngress(): Promise<{ fresh: FreshDatabase; server: IngressServer }> {
  const fresh = await freshDatabase();
  const server = await startIngress(fresh.url);
  const close = async () => {
    await server.close();
    await fresh.drop();
  };
  return { fresh, server: { ...server, close } };
}
