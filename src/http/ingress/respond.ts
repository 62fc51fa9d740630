import type { IncomingMessage, ServerResponse } from 'node:http';

/** How long a refused sender may go on sending before the connection is cut, in milliseconds. */
const LINGER_MS = 1_000;

/** Answers a request whose body was read: one short line, the connection stays. */
export function respond(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, headers(text)).end(text);
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

function headers(text: string): Record<string, string | number> {
  return {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  };
}
