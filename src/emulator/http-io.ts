import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { problem, type Reply } from './reply.ts';

/** Reads a request's body; 413 beyond `max` bytes. */
export async function readBody(request: IncomingMessage, max: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > max) throw problem(413, 'Payload too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

interface Encoded {
  readonly bytes: Buffer;
  readonly type: string;
}

function encode(body: unknown): Encoded {
  if (Buffer.isBuffer(body)) return { bytes: body, type: 'application/octet-stream' };
  if (typeof body === 'string') return { bytes: Buffer.from(body), type: 'text/plain; charset=utf-8' };
  return { bytes: Buffer.from(JSON.stringify(body)), type: 'application/json; charset=utf-8' };
}

/** Sends a reply. A GET whose ETag the caller has already is answered 304. */
export function sendReply(request: IncomingMessage, response: ServerResponse, reply: Reply): void {
  if (reply.body instanceof Readable) {
    const { body } = reply;
    response.writeHead(reply.status, reply.headers);
    response.on('close', () => body.destroy());
    body.on('error', () => response.destroy());
    body.pipe(response);
    return;
  }
  if (reply.body === undefined) {
    response.writeHead(reply.status, { 'content-length': '0', ...reply.headers });
    response.end();
    return;
  }
  const { bytes, type } = encode(reply.body);
  const headers: Record<string, string> = { 'content-type': type, ...reply.headers };
  if (request.method === 'GET' && reply.status === 200) {
    headers.etag = `W/"${createHash('sha256').update(bytes).digest('hex')}"`;
    if (request.headers['if-none-match'] === headers.etag) {
      response.writeHead(304, { ...headers });
      response.end();
      return;
    }
  }
  response.writeHead(reply.status, { ...headers, 'content-length': String(bytes.length) });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}
