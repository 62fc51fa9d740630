/**
 * The program inside a sandbox: `node runner.mjs runner.json`. It asks for steps, does them and reports; it judges
 * nothing and knows no secret. Start-up is ordered by time: `git init` needs no network and goes first, the bridge
 * and git's configuration follow while it runs, and Node's HTTP client loads while git already fetches.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { startBridge } from './bridge.ts';
import { createClient } from './client.ts';
import { cloneRepository, initRepository } from './clone.ts';
import { readConfig } from './config.ts';
import type { RunnerContext, StopReason } from './context.ts';
import { writeGitConfig } from './git.ts';
import { startHeartbeat } from './heartbeat.ts';
import { createInbox } from './inbox.ts';
import { runLoop } from './loop.ts';
import type { RunnerConfig } from './protocol.ts';
import { createReporter } from './reporter.ts';

/** How long the last events may take to leave, milliseconds. */
const LAST_WORDS_MS = 2_000;
/** How long a step that was cut short may take to notice, milliseconds. */
const CUT_SHORT_MS = 500;
/** Exit code of a configuration that can't be used (sysexits' EX_CONFIG). */
const BAD_CONFIG = 78;

async function run(config: RunnerConfig): Promise<StopReason> {
  const stop = new AbortController();
  const reporter = createReporter();
  const { emit } = reporter;
  const place = { config, emit, stopped: stop.signal };
  const stopped = new Promise<StopReason>((resolve) => {
    stop.signal.addEventListener('abort', () => resolve(stop.signal.reason as StopReason));
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => stop.abort({ reason: signal, code: 0 } satisfies StopReason));
  }

  emit('runner.started', { node: process.version, generation: config.generation });
  const initialised = initRepository(place);
  // It is awaited below; until then a failure must not count as unhandled.
  initialised.catch(() => {});
  const gatewayUrl = await startBridge(config.gateway);
  writeGitConfig(config, gatewayUrl);

  const client = createClient(gatewayUrl, config.generation);
  const runner: RunnerContext = { ...place, gatewayUrl, position: { base: config.startSha } };
  const inbox = createInbox(emit);
  // By now the first fetch is the next thing to happen; loading HTTP before it would hold it up by 35 ms.
  const fetching = initialised.then((fresh) => ({ done: cloneRepository(place, gatewayUrl, fresh) }));
  const cloned = fetching
    .then(({ done }) => done)
    .then(
      () => null,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
  await fetching.catch(() => {});
  reporter.start({
    send: (batch) => client.post('/events', batch),
    onMessages: inbox.deliver,
    onStop: (why) => stop.abort({ reason: why, code: why === 'stale' ? 0 : 1 } satisfies StopReason),
  });
  const endHeartbeat = startHeartbeat(emit, config.heartbeatMs);
  const settle = (): Promise<void> => reporter.flush(LAST_WORDS_MS);
  const loop = runLoop(runner, { client, inbox, cloned, settle }).catch((error: unknown): StopReason => {
    // A wait that was cut short by the stop ends the loop this way.
    if (stop.signal.aborted) return stop.signal.reason as StopReason;
    throw error;
  });
  const end = await Promise.race([loop, stopped]);
  // A step that was cut short still reports the end of its child.
  if (stop.signal.aborted) await Promise.race([loop, delay(CUT_SHORT_MS)]);
  endHeartbeat();
  emit('runner.stopped', { reason: end.reason });
  if (end.reason !== 'stale' && end.reason !== 'replaced') await settle();
  stop.abort(end);
  return end;
}

async function main(): Promise<void> {
  let config: RunnerConfig;
  try {
    config = readConfig(process.argv[2] ?? '');
  } catch (error) {
    process.stderr.write(`runner: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(BAD_CONFIG);
  }
  const end = await run(config);
  process.stderr.write(`runner: stopped: ${end.reason}\n`);
  process.exit(end.code);
}

await main();
