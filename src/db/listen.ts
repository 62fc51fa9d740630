import pg from 'pg';
import type { Clock } from '../clock.ts';
import { giveUpOnSilence, hangUp, keepAsking } from './silence.ts';

export interface ListenOptions {
  url: string;
  channel: string;
  clock: Clock;
  onNotification: () => void;
  /** Told that notifications may have been missed, with the driver's error code if it gave one. */
  onLoss: (code: string | undefined) => void;
}

const RECONNECT_MS = 1_000;

/**
 * Listens on a channel over a connection of its own, and connects again (after 1 s) whenever that breaks. Each new
 * connection counts as a notification, because some may have been missed. Never throws; the result ends it.
 */
export function listen(options: ListenOptions): () => Promise<void> {
  const stopped = new AbortController();
  const finished = keepListening(options, stopped.signal);
  return async () => {
    stopped.abort();
    await finished;
  };
}

async function keepListening(options: ListenOptions, stopped: AbortSignal): Promise<void> {
  while (!stopped.aborted) {
    const code = await listenOnce(options, stopped);
    if (stopped.aborted) return;
    options.onLoss(code);
    await options.clock.sleep(RECONNECT_MS, stopped);
  }
}

/** Resolves when the connection is gone, with the error's code. */
async function listenOnce(options: ListenOptions, stopped: AbortSignal): Promise<string | undefined> {
  const client = new pg.Client({
    connectionString: options.url,
    application_name: `specwright-listen-${options.channel}`,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
  });
  giveUpOnSilence(client);
  let code: string | undefined;
  const gone = new Promise<void>((resolve) => client.once('end', () => resolve()));
  client.on('error', (error) => {
    code = (error as { code?: string }).code;
  });
  client.on('notification', options.onNotification);
  const stop = () => hangUp(client);
  stopped.addEventListener('abort', stop);
  try {
    await client.connect();
    await client.query(`listen ${pg.escapeIdentifier(options.channel)}`);
    options.onNotification();
    void keepAsking(client, options.clock, stopped);
    await gone;
  } catch (error) {
    code = (error as { code?: string }).code;
    hangUp(client);
  } finally {
    stopped.removeEventListener('abort', stop);
  }
  return code;
}
