import type { AddressInfo } from 'node:net';
import Fastify from 'fastify';
import type { Pool } from 'pg';
import { systemClock } from '../../src/clock.ts';
import { createPool } from '../../src/db/connect.ts';
import { createGatewayStore } from '../../src/db/gateway-store.ts';
import { GATEWAY_PREFIX } from '../../src/http/gateway/backend.ts';
import { gateway } from '../../src/http/gateway/plugin.ts';
import { createLogger } from '../../src/log.ts';
import type { ModelCredential } from '../../src/services/credentials/credential.ts';
import type { Deps } from '../../src/services/deps.ts';
import { createModelCalls } from '../../src/services/models/calls.ts';
import { listPrices, type PriceTable } from '../../src/services/models/prices.ts';
import { type FreshDatabase, freshDatabase } from './database.ts';
import { insertSandboxRows } from './sandbox-rows.ts';

/** What stands for a real key; no sandbox may ever see it. */
export const REAL_KEY = 'sk-real-key-of-the-installation';

/** What the sandbox of the n-th spec shows. */
export function bearerOf(spec: number): string {
  return `bearer-of-the-run-${spec}`;
}

interface AskOptions {
  readonly signal?: AbortSignal;
  readonly headers?: Record<string, string>;
  /** Whose sandbox asks; the first one's. */
  readonly spec?: number;
}

export interface LlmRig {
  readonly database: FreshDatabase;
  readonly specIds: readonly string[];
  /** The address that stands for a provider: `{url}/v1/messages`. */
  url(api: string): string;
  /** A call to the Messages API as an agent in a sandbox makes it. */
  ask(body: object, options?: AskOptions): Promise<Response>;
  close(): Promise<void>;
}

export interface LlmRigOptions {
  /** Where the provider is. */
  readonly provider: string;
  readonly prices?: PriceTable;
  readonly installationDayUsd?: number;
  readonly budget?: object;
  /** How many there are, with a sandbox each. */
  readonly specs?: number;
  /** Null: nobody has a credential. */
  readonly credential?: ModelCredential | null;
}

/** The gateway's routes for models over a real database, for one sandbox. */
export async function openLlmRig(options: LlmRigOptions): Promise<LlmRig> {
  const database = await freshDatabase({ poolSize: 20 });
  const pool = createPool(database.url, 10);
  const sandboxes: Ids[] = [];
  while (sandboxes.length < (options.specs ?? 1)) sandboxes.push(await insertSandboxRows(database.db));
  const settings = { settings: { budget: options.budget ?? {} } };
  await database.db('specs').update({ settings: JSON.stringify(settings) });
  const app = Fastify();
  await app.register(gateway(backendOf({ database, pool }, options, sandboxes)), {
    prefix: GATEWAY_PREFIX,
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const url = (api: string) => `http://127.0.0.1:${port}${GATEWAY_PREFIX}/llm/1/${api}`;
  return {
    database,
    specIds: sandboxes.map(({ specId }) => specId),
    url,
    ask: (body, { signal, headers, spec = 0 } = {}) =>
      fetch(`${url('anthropic')}/v1/messages`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${bearerOf(spec)}`,
          'content-type': 'application/json',
          ...headers,
        },
        body: JSON.stringify(body),
        ...(signal ? { signal } : {}),
      }),
    async close() {
      await app.close();
      await pool.end();
      await database.drop();
    },
  };
}

type Ids = Awaited<ReturnType<typeof insertSandboxRows>>;

function backendOf(
  { database, pool }: { database: FreshDatabase; pool: Pool },
  options: LlmRigOptions,
  sandboxes: readonly Ids[],
): Parameters<typeof gateway>[0] {
  const own: ModelCredential = {
    kind: 'anthropic',
    key: REAL_KEY,
    api: 'anthropic',
    baseUrl: options.provider,
    scope: 'installation',
  };
  const credential = options.credential === undefined ? own : options.credential;
  const missing = { kind: 'missing', text: 'nobody has a credential' } as const;
  const deps = {
    db: database.db,
    gateway: createGatewayStore(pool),
    clock: systemClock,
    log: createLogger({ level: 'fatal', secrets: [] }),
    credentials: { resolve: async () => (credential ? { kind: 'found', credential } : missing) },
    models: {
      prices: options.prices ?? listPrices,
      installationDayUsd: options.installationDayUsd ?? 50,
      specsAtOnce: 2,
    },
  } as unknown as Deps;
  const never = () => Promise.reject(new Error('not asked for here'));
  return {
    identify: async (by, generation) => {
      const found = sandboxes.find((_, spec) => 'bearer' in by && by.bearer === bearerOf(spec));
      if (!found) return { kind: 'unknown' };
      return generation === 1 ? { kind: 'ok', identity: { ...found, generation } } : { kind: 'stale' };
    },
    nextStep: never,
    stepResult: never,
    ingest: never,
    git: {
      repositoryFor: never,
      authorization: never,
      intend: never,
      settle: never,
    },
    egress: { judge: never, noteRefused: never },
    models: createModelCalls(deps),
  };
}
