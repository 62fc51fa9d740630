import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A connection on which anything can be sent. */
export interface RawConnection {
  readonly socket: Socket;
  /** Everything that was answered so far, as latin1. */
  text(): string;
  /** The first answer's status; 0 when the connection ended without one. */
  readonly status: Promise<number>;
  readonly closed: Promise<void>;
}

/** Connects to the host and port of a URL; errors of the network count as its end. */
export function rawConnect(url: string): RawConnection {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let text = '';
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => {});
  const status = new Promise<number>((resolve) => {
    socket.on('data', (data: Buffer) => {
      text += data.toString('latin1');
      const found = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
      if (found) resolve(Number(found));
    });
    void closed.then(() => resolve(0));
  });
  return { socket, text: () => text, status, closed };
}

/** The statuses of all answers on a connection. */
export function statusesIn(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map((match) => Number(match[1]));
}

/** A request's head; the values go as they are, in latin1. */
export function headOf(url: string, headers: Readonly<Record<string, string>>, method = 'POST'): Buffer {
  const { pathname, host } = new URL(url);
  const lines = Object.entries({ host, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${method} ${pathname} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1');
}

/** One chunk of a chunked body. */
export function chunkOf(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
}

/** Writes `bytes` again and again, as fast as they are taken, until so many are sent or the connection is over. */
export async function pour(raw: RawConnection, bytes: Buffer, total: number): Promise<number> {
  let sent = 0;
  while (sent < total && !raw.socket.destroyed && raw.socket.writable) {
    sent += bytes.length;
    if (raw.socket.write(bytes)) await delay(0);
    else await Promise.race([new Promise((resolve) => raw.socket.once('drain', resolve)), raw.closed]);
  }
  return sent;
}
