import Fastify, { type FastifyInstance } from 'fastify';
import type pg from 'pg';
import type { Config } from './config.ts';
import { createPool } from './db/connect.ts';
import { createDeliveryStore } from './db/deliveries.ts';
import type { Opened } from './deps.ts';
import { UserError } from './errors.ts';
import { specsApi } from './http/api/specs.ts';
import { GATEWAY_PREFIX } from './http/gateway/backend.ts';
import { gateway } from './http/gateway/plugin.ts';
import { health } from './http/health.ts';
import { ingress } from './http/ingress.ts';
import { createAccept } from './services/inbox/accept.ts';
import { checkProcess } from './services/monitor/checks.ts';
import { readEvents, readSandboxStatus } from './services/monitor/read-specs.ts';

export interface Web {
  readonly url: string;
  stop(): Promise<void>;
}

const HOT_CONNECTIONS = 3;

/**
 * Who holds a connection without saying anything whole. A head has 8 s, looked at each second; a body has 5 minutes
 * (Node's own limit, which Fastify takes away), and a webhook's body what ingress gives it.
 */
const patience = { headersTimeout: 8000, requestTimeout: 300_000, connectionsCheckingInterval: 1000 };

/** Opens the one port: webhooks, gateway, API and health; a process that only works serves its health alone. */
export async function startWeb(config: Config, opened: Opened): Promise<Web> {
  const { deps } = opened;
  const app = Fastify({
    trustProxy: false,
    bodyLimit: 1024 * 1024,
    requestTimeout: patience.requestTimeout,
    http: patience,
  });
  await app.register(health({ checks: () => checkProcess(deps), log: deps.log }));
  const pool = config.role === 'worker' ? null : await openPublic(app, config, opened);
  const stop = async () => {
    await app.close();
    await pool?.end();
  };
  try {
    return { url: await app.listen({ host: config.host, port: config.port }), stop };
  } catch (error) {
    await stop();
    throw asUserError(error, config);
  }
}

/** What an operator can mend about an address that can't be listened on. */
function asUserError(error: unknown, { host, port }: Config): unknown {
  const { code } = error as { code?: unknown };
  if (code === 'EADDRINUSE') return new UserError(`Port ${port} is in use. Stop what uses it, or set PORT.`);
  if (code === 'EACCES')
    return new UserError(`Port ${port} is not allowed to this user. Set PORT to one above 1023.`);
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return new UserError(
      `HOST ${host} is no address of this machine. Set HOST to one, or to 0.0.0.0 for all.`,
    );
  return error;
}

async function openPublic(app: FastifyInstance, config: Config, opened: Opened): Promise<pg.Pool> {
  const { deps } = opened;
  const pool = createPool(opened.databaseUrl, HOT_CONNECTIONS);
  const accept = createAccept({ store: createDeliveryStore(pool), log: deps.log });
  const secrets = [config.webhookSecret, config.webhookSecretPrevious].filter((one) => one !== null);
  await app.register(ingress({ accept, secrets: () => secrets, log: deps.log }));
  await app.register(gateway(opened.backend), { prefix: GATEWAY_PREFIX });
  await app.register(
    specsApi({
      token: config.apiToken,
      log: deps.log,
      read: {
        sandboxStatus: (id) => readSandboxStatus(deps, id),
        events: (id, page) => readEvents(deps, id, page),
      },
    }),
  );
  return pool;
}
