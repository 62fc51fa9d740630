import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A network that can be troubled, in front of a real server. */
export interface TcpProxy {
  /** The server's URL, with the proxy's address in place of its own. */
  readonly url: string;
  /**
   * From now on nothing passes and nobody is told: connections stay open and silent, for good (half-open), new ones too.
   * With a text: only those that are open and whose first words held it.
   */
  swallow(saying?: string): void;
  /** Breaks every connection at once. */
  cut(): void;
  /** Breaks every new connection too. */
  refuse(): void;
  /** Each chunk is this late, in milliseconds, in each direction. */
  slow(ms: number): void;
  /** New connections pass again; those that were swallowed stay silent. */
  heal(): void;
  /** New connections go to another server. */
  redirect(target: string): void;
  close(): Promise<void>;
}

interface Pair {
  readonly sockets: readonly Socket[];
  first: string | null;
  silent: boolean;
}

/** Listens on a free port of 127.0.0.1 and forwards to the server of `target`. */
export async function startTcpProxy(target: string): Promise<TcpProxy> {
  let upstream = new URL(target);
  const pairs = new Set<Pair>();
  let mode: 'pass' | 'swallow' | 'refuse' = 'pass';
  let delayMs = 0;

  const server = createServer((client) => {
    if (mode === 'refuse') return void client.destroy();
    const remote = connect(Number(upstream.port), upstream.hostname);
    const pair: Pair = { sockets: [client, remote], first: null, silent: mode === 'swallow' };
    pairs.add(pair);
    forward(pair, client, remote);
    forward(pair, remote, client);
  });

  function forward(pair: Pair, from: Socket, to: Socket): void {
    let last = Promise.resolve();
    from.setNoDelay(true);
    from.on('error', () => {});
    from.on('data', (chunk) => {
      pair.first ??= chunk.toString('latin1');
      if (pair.silent) return;
      if (delayMs === 0) return void to.write(chunk);
      const due = delay(delayMs);
      last = last.then(() => due).then(() => void (pair.silent || to.destroyed || to.write(chunk)));
    });
    from.on('close', () => {
      // The other end of a half-open connection never hears of it.
      if (!pair.silent) to.destroy();
      if (pair.sockets.every((socket) => socket.destroyed)) pairs.delete(pair);
    });
  }

  function cut(): void {
    for (const { sockets } of pairs) for (const socket of sockets) socket.destroy();
    pairs.clear();
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(target);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as { port: number }).port);
  return {
    url: url.href,
    swallow(saying) {
      if (saying === undefined) mode = 'swallow';
      for (const pair of pairs) pair.silent ||= saying === undefined || (pair.first ?? '').includes(saying);
    },
    cut,
    refuse() {
      mode = 'refuse';
      cut();
    },
    slow(ms) {
      delayMs = ms;
    },
    heal() {
      mode = 'pass';
    },
    redirect(other) {
      upstream = new URL(other);
    },
    async close() {
      cut();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
