import type { FastifyPluginAsync } from 'fastify';
import type { Logger } from '../log.ts';

/** One thing that has to work. `reason` is shown to whoever asks, so it holds no secret and no address. */
export interface HealthCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly reason?: string;
}

export interface HealthOptions {
  /** Looks at everything once; called for each readiness request, so it has to be cheap. */
  readonly checks: () => Promise<readonly HealthCheck[]>;
  readonly log: Logger;
  /** How long the checks may take before the process counts as not ready. Default 5,000 ms. */
  readonly timeoutMs?: number;
}

/**
 * Health pages for a load balancer or a supervisor.
 *
 * `GET /health/live` → 200 as long as the process can answer; restart it when it does not.
 * `GET /health/ready` → 200, or 503 with `{status, checks}` while something is missing; send it no work then.
 */
export function health(options: HealthOptions): FastifyPluginAsync {
  return async (app) => {
    app.get('/health/live', async (_request, reply) =>
      reply.header('cache-control', 'no-store').send({ status: 'live' }),
    );
    app.get('/health/ready', async (_request, reply) => {
      const checks = await look(options);
      const ready = checks.every(({ ok }) => ok);
      return reply
        .code(ready ? 200 : 503)
        .header('cache-control', 'no-store')
        .send({ status: ready ? 'ready' : 'not ready', checks });
    });
  };
}

async function look({ checks, log, timeoutMs = 5000 }: HealthOptions): Promise<readonly HealthCheck[]> {
  const late = Promise.withResolvers<readonly HealthCheck[]>();
  const timer = setTimeout(
    () => late.resolve([{ name: 'checks', ok: false, reason: `took longer than ${timeoutMs} ms` }]),
    timeoutMs,
  );
  try {
    return await Promise.race([checks(), late.promise]);
  } catch (error) {
    // The error's text may hold an address or a query, and this page is open to everybody.
    log.error({ err: error }, 'health check failed');
    return [{ name: 'checks', ok: false, reason: 'failed; the log has the cause' }];
  } finally {
    clearTimeout(timer);
  }
}
