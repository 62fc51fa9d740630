/**
 * One database session that is kept open for what only a session can do: hold an advisory lock and listen.
 *
 * Race ledger
 * - The connection breaks → a new one is opened after a pause, and lock and LISTEN are taken again; notices sent
 *   meanwhile are lost, so whoever listens also looks for itself now and then.
 * - It dies unheard (half-open) → it is asked now and then, and given up without an answer. The server may still hold
 *   the lock for the dead one, which is ended by name before the lock is taken again (test).
 */
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Logger } from '../log.ts';
import { giveUpOnSilence, hangUp, keepAsking, sayGoodbye } from './silence.ts';

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
  const name = `specwright-session-${randomUUID()}`;
  let client = await connect(options, name);
  const keep = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      void keepAsking(client, options.clock, stop.signal);
      await ended(client, stop.signal);
      if (!stop.signal.aborted) client = await reconnect({ options, name, old: client }, stop.signal);
    }
  };
  const kept = keep();
  return {
    async close() {
      stop.abort();
      await kept;
      await sayGoodbye(client, options.clock);
    },
  };
}

/** Ends what the server still takes for our session. */
const END_FORMER = `select pg_terminate_backend(pid) from pg_stat_activity
  where application_name = current_setting('application_name') and usename = current_user and pid <> pg_backend_pid()`;

async function connect(options: SessionOptions, name: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: options.url,
    application_name: name,
    keepAlive: true,
    connectionTimeoutMillis: 5000,
  });
  // An error ends the connection, and "end" is what we wait for.
  client.on('error', (error) => options.log.warn({ error: messageOf(error) }, 'database session broke'));
  client.on('notification', (notice) => options.onNotice(notice.payload ?? ''));
  giveUpOnSilence(client);
  try {
    await client.connect();
    await client.query(END_FORMER);
    await client.query(options.first.text, options.first.values);
    await client.query(`listen ${client.escapeIdentifier(options.channel)}`);
  } catch (error) {
    hangUp(client);
    throw error;
  }
  return client;
}

function ended(client: pg.Client, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    client.once('end', () => resolve());
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

async function reconnect(
  { options, name, old }: { options: SessionOptions; name: string; old: pg.Client },
  signal: AbortSignal,
): Promise<pg.Client> {
  while (!signal.aborted) {
    await options.clock.sleep(PAUSE_MS, signal);
    try {
      if (!signal.aborted) return await connect(options, name);
    } catch (error) {
      options.log.warn({ error: messageOf(error) }, 'database session could not be opened again');
    }
  }
  return old;
}
