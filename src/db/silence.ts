/**
 * A connection can die without a word: the other end is cut off, and nothing ever arrives. TCP notices after hours, and
 * not at all behind a proxy, so whoever waits for an answer waits with a limit.
 */
import type pg from 'pg';
import type { Clock } from '../clock.ts';

/** More than a statement may take (5 s, which the server itself keeps), so that silence means a dead connection. */
export const SILENCE_MS = 6_000;

const HEARTBEAT_MS = 5_000;

interface Wire {
  readonly connection: { readonly stream: { destroy(): void } };
}

/** Breaks a connection without asking the server, which may not be there. */
export function hangUp(client: pg.Client): void {
  // Not in the driver's types: its own `end` waits for the server if nothing is under way.
  (client as unknown as Wire).connection.stream.destroy();
}

const GOODBYE_MS = 1_000;

/** Ends a session in order where the server is there to hear it. */
export async function sayGoodbye(client: pg.Client, clock: Clock): Promise<void> {
  const done = new AbortController();
  const ended = client.end().catch(() => {});
  await Promise.race([ended.then(() => done.abort()), clock.sleep(GOODBYE_MS, done.signal)]);
  hangUp(client);
}

/** From now on a statement that is not answered within `ms` milliseconds breaks its connection. */
export function giveUpOnSilence(client: pg.Client, ms = SILENCE_MS): void {
  const query = client.query.bind(client) as (...args: unknown[]) => unknown;
  const watched = (...args: unknown[]): unknown => {
    const answered = watch(client, ms);
    const last = args.at(-1);
    if (typeof last !== 'function') {
      const result = query(...args);
      void Promise.resolve(result).then(answered, answered);
      return result;
    }
    return query(...args.slice(0, -1), (...outcome: unknown[]) => {
      answered();
      last(...outcome);
    });
  };
  Object.assign(client, { query: watched });
}

function watch(client: pg.Client, ms: number): () => void {
  let open = true;
  const timer = setTimeout(() => {
    // A process that was stopped or busy reads what has arrived meanwhile first.
    setImmediate(() => {
      if (open) hangUp(client);
    });
  }, ms);
  return () => {
    open = false;
    clearTimeout(timer);
  };
}

/** Asks something now and then, so that a connection that only listens learns of its death; ends with it or `signal`. */
export async function keepAsking(client: pg.Client, clock: Clock, signal: AbortSignal): Promise<void> {
  try {
    while (!signal.aborted) {
      await clock.sleep(HEARTBEAT_MS, signal);
      if (!signal.aborted) await client.query('select 1');
    }
  } catch {
    // Whoever waits for the connection's end hears of it there.
  }
}
