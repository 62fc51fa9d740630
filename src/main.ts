import { openOrClose } from './closers.ts';
import type { Config } from './config.ts';
import { secretsOf } from './config.ts';
import { type Opened, type OpenOptions, openDeps } from './deps.ts';
import { createLogger, type RootLogger } from './log.ts';
import { startWeb } from './web.ts';
import { startWorker } from './worker.ts';

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
    if (worker) closers.add((await startWorker(config, opened)).stop);
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
  const running = await startProcess(config, { log });
  const signal = await nextSignal();
  log.info({ signal }, 'stopping: no new work, finishing what is under way');
  void nextSignal().then(() => process.exit(130));
  await running.stop();
  log.info({}, 'stopped');
  return 0;
}

function nextSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  });
}
