/**
 * One database session that is kept open for what only a session can do: hold an advisory lock and listen.
 *
 * Race ledger
 * - The connection breaks → a new one is opened after a pause, and lock and LISTEN are taken again; notices sent
 *   meanwhile are lost, so whoever listens also looks for itself now and then.
 */
import pg from 'pg';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Logger } from '../log.ts';

export interface SessionOptions {
  readonly url: string;
  readonly log: Logger;
  readonly clock: Clock;
  readonly channel: string;
  /** Runs first on every new connection. */
  readonly first: { text: string; values: unknown[] };
  readonly onNotice: (payload: string) => void;
}

export interface Session {
  close(): Promise<void>;
}

const PAUSE_MS = 1000;

/** Opens the session; resolves once it is open for the first time. @throws when the database can't be reached */
export async function openSession(options: SessionOptions): Promise<Session> {
  const stop = new AbortController();
  let client = await connect(options);
  const keep = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await ended(client, stop.signal);
      if (!stop.signal.aborted) client = await reconnect(options, stop.signal, client);
    }
  };
  const kept = keep();
  return {
    async close() {
      stop.abort();
      await kept;
      await client.end();
    },
  };
}

async function connect(options: SessionOptions): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: options.url,
    application_name: 'specwright-session',
    keepAlive: true,
    connectionTimeoutMillis: 5000,
  });
  // An error ends the connection, and "end" is what we wait for.
  client.on('error', (error) => options.log.warn({ error: messageOf(error) }, 'database session broke'));
  client.on('notification', (notice) => options.onNotice(notice.payload ?? ''));
  await client.connect();
  await client.query(options.first.text, options.first.values);
  await client.query(`listen ${client.escapeIdentifier(options.channel)}`);
  return client;
}

function ended(client: pg.Client, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    client.once('end', () => resolve());
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

async function reconnect(options: SessionOptions, signal: AbortSignal, old: pg.Client): Promise<pg.Client> {
  while (!signal.aborted) {
    await options.clock.sleep(PAUSE_MS, signal);
    try {
      if (!signal.aborted) return await connect(options);
    } catch (error) {
      options.log.warn({ error: messageOf(error) }, 'database session could not be opened again');
    }
  }
  return old;
}
