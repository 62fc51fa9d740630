import type { IncomingMessage, ServerResponse } from 'node:http';

/** How long a refused sender may go on sending before the connection is cut, in milliseconds. */
const LINGER_MS = 1_000;

/** An answer that is always the same, made once. */
export interface Answer {
  readonly status: number;
  /** Names and values by turns: what Node takes without a copy. */
  readonly headers: string[];
  readonly text: string;
}

/** One short line of plain text. */
export function answerOf(status: number, text: string): Answer {
  return { status, headers: Object.entries(headers(text)).flat(), text };
}

/** Answers a request whose body was read; the connection stays. */
export function respond(response: ServerResponse, { status, headers: head, text }: Answer): void {
  response.writeHead(status, head).end(text);
}

/**
 * Answers a request whose body is not wanted and closes the connection. What still arrives is thrown away for a
 * moment: closing at once would reset the connection, and the sender would see that in place of the answer.
 */
export function refuse(
  exchange: { request: IncomingMessage; response: ServerResponse },
  status: number,
  text: string,
): void {
  const { request, response } = exchange;
  response.writeHead(status, {
    ...headers(text),
    connection: 'close',
    ...(status === 405 ? { allow: 'POST' } : {}),
  });
  response.write(text);
  const close = () => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(close, LINGER_MS);
  if (request.complete) close();
  else request.on('end', close).on('close', close).resume();
}

function headers(text: string): Record<string, string> {
  return {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': String(Buffer.byteLength(text)),
    'cache-control': 'no-store',
  };
}
