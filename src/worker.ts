import { createProbot } from 'probot';
import type { Config } from './config.ts';
import { crashPoint } from './crash-point.ts';
import { createPool } from './db/connect.ts';
import { createDeliveryStore } from './db/deliveries.ts';
import { CLOSING_CHANNEL } from './db/workers.ts';
import type { Opened } from './deps.ts';
import { messageOf } from './errors.ts';
import { createDispatcher } from './handlers/dispatcher.ts';
import { createApp } from './index.ts';
import { createLogger } from './log.ts';
import { inspectWork } from './services/branches/inspect.ts';
import { publishEffect } from './services/effects/publish.ts';
import { createAccept } from './services/inbox/accept.ts';
import { startInbox } from './services/inbox/inbox.ts';
import { type JobHandlers, startWork } from './services/jobs/work.ts';
import { recoveryPasses } from './services/monitor/recovery.ts';
import { sweep } from './services/monitor/sweep.ts';
import { prepareSpec } from './services/preflight/prepare.ts';
import { createEnder } from './services/sandboxes/end-closing.ts';
import { ensureSandbox, reportEnd } from './services/sandboxes/ensure.ts';
import { endOf } from './services/sandboxes/losses.ts';
import { adoptOrphans, releaseAll } from './services/sandboxes/owner.ts';
import { openOwnerSession } from './services/sandboxes/owner-session.ts';
import { sandboxPasses } from './services/sandboxes/passes.ts';
import { syncStatus } from './services/status/sync.ts';

/** Job → what does it. */
const jobHandlers: JobHandlers = {
  'spec.prepare': prepareSpec,
  'spec.inspect': inspectWork,
  'sandbox.ensure': ensureSandbox,
  'effect.publish': publishEffect,
  'status.sync': syncStatus,
};

/** Left of the drain time for ending sandboxes and closing connections. */
const DRAIN_RESERVE_MS = 4000;

export interface Worker {
  /** Takes no more work, finishes what it has, ends its sandboxes. */
  stop(): Promise<void>;
}

/** Starts everything that a worker does: deliveries, jobs, its sandboxes, sweeps. */
export async function startWorker(config: Config, opened: Opened): Promise<Worker> {
  const { deps, provider } = opened;
  const stopping = new AbortController();
  const endClosing = provider ? createEnder(deps, provider) : () => Promise.resolve();
  const session = await openOwnerSession(opened.databaseUrl, deps, {
    channel: CLOSING_CHANNEL,
    // A worker that stops ends its sandboxes last, once their pushes have arrived.
    onClosing: () => (stopping.signal.aborted ? Promise.resolve() : run('sandboxes to end', endClosing)),
  });
  provider?.onEnd((id, why) => void reportEnd(deps, id, endOf(why)));
  const run = async (what: string, pass: () => Promise<unknown>): Promise<void> => {
    try {
      await pass();
    } catch (error) {
      deps.log.error({ pass: what, error: messageOf(error) }, 'pass failed, to be tried again');
    }
  };
  const repeat = async (what: string, everyMs: number, pass: () => Promise<unknown>): Promise<void> => {
    while (!stopping.signal.aborted) {
      await run(what, pass);
      await deps.clock.sleep(everyMs, stopping.signal);
    }
  };
  await run('orphans', () => adoptOrphans(deps));
  const dispatcher = await connectProbot(config, opened);
  const inbox = startInbox({
    db: deps.db,
    url: opened.databaseUrl,
    dispatcher,
    log: deps.log,
    clock: deps.clock,
    settings: {
      unclearMs: config.times.gatherWaitMinutes * 60_000,
      drainMs: config.times.drainSeconds * 1000 - DRAIN_RESERVE_MS,
    },
  });
  await startWork(opened.boss, deps, jobHandlers);
  const pool = createPool(opened.databaseUrl, 1);
  const accept = createAccept({ store: createDeliveryStore(pool), log: deps.log });
  const intake = { accept, handles: dispatcher.handles, signal: stopping.signal };
  const enterprise = config.github.host !== null;
  const recovery = recoveryPasses(deps, intake, { ...config.times, enterprise });
  const loops = [
    repeat('sweep', deps.timing.sweepSeconds * 1000, () => sweep(deps)),
    ...[
      ...sandboxPasses(deps, provider, { endClosing, revokeLeft: opened.gitTokens.revokeLeft }),
      ...recovery,
    ].map(({ what, everyMs, pass }) => repeat(what, everyMs, pass)),
  ];
  return {
    async stop() {
      stopping.abort();
      const graceMs = Math.max(1000, config.times.drainSeconds * 1000 - DRAIN_RESERVE_MS);
      await Promise.all([inbox.stop(), opened.boss.stop({ graceful: true, timeout: graceMs }), ...loops]);
      crashPoint('shutdown.mid-drain');
      await run('release', () => releaseAll(deps));
      await session.close();
      await pool.end();
    },
  };
}

async function connectProbot(config: Config, { deps }: Opened): Promise<ReturnType<typeof createDispatcher>> {
  const probot = createProbot({
    overrides: {
      appId: config.appId,
      privateKey: config.privateKey,
      secret: config.webhookSecret,
      baseUrl: config.github.apiUrl,
      // Probot logs whole events when a handler throws; the inbox logs failures without their payloads.
      log: createLogger({ level: 'silent', secrets: [] }).pino,
    },
  });
  const loading: Promise<void>[] = [];
  const dispatcher = createDispatcher(deps, (call) => {
    loading.push(probot.load(createApp(call)));
    return (event) => probot.receive(event as Parameters<typeof probot.receive>[0]);
  });
  await Promise.all(loading);
  return dispatcher;
}
