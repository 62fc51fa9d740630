import { flushCompileCache } from 'node:module';
import { openOrClose } from './closers.ts';
import type { Config } from './config.ts';
import { secretsOf } from './config.ts';
import { type Opened, type OpenOptions, openDeps } from './deps.ts';
import { createLogger, type RootLogger } from './log.ts';
import { startWeb } from './web.ts';

/** A running process of the App. */
export interface Running {
  readonly url: string;
  readonly opened: Opened;
  /** Drains and closes everything; at most the drain time of the settings. */
  stop(): Promise<void>;
}

/** Config → deps → migrate → http and workers. @throws UserError with what to set right */
export function startProcess(
  config: Config,
  options: Omit<OpenOptions, 'worker'> & { log?: RootLogger } = {},
): Promise<Running> {
  const log = options.log ?? createLogger({ level: config.logLevel, secrets: secretsOf(config) });
  return openOrClose(async (closers) => {
    const worker = config.role !== 'web';
    const opened = await openDeps(config, log, { ...options, worker });
    closers.add(() => opened.close());
    if (worker) {
      // Probot and all that only a worker needs stays out of a process that takes webhooks.
      const { startWorker } = await import('./worker.ts');
      closers.add((await startWorker(config, opened)).stop);
    }
    const web = await startWeb(config, opened);
    closers.add(() => web.stop());
    log.info({ url: web.url, role: config.role }, 'Specwright is ready');
    return { url: web.url, opened, stop: () => closers.closeAll() };
  });
}

/**
 * Runs until SIGTERM or SIGINT, drains, and answers the exit code. A second signal does not wait.
 */
export async function runProcess(config: Config): Promise<number> {
  const log = createLogger({ level: config.logLevel, secrets: secretsOf(config) });
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'unhandled rejection'));
  // Heard from the first moment on: a signal during the start must not end a process that holds things already.
  const asked = nextSignal();
  void asked.then(nextSignal).then(() => process.exit(130));
  const running = await startProcess(config, { log });
  // Now, since a process that is killed later writes none.
  flushCompileCache();
  const signal = await asked;
  log.info({ signal }, 'stopping: no new work, finishing what is under way');
  await running.stop();
  log.info({}, 'stopped');
  return 0;
}

function nextSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  });
}
