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

/** Gives the answer of a GET its ETag; 304 where the caller has it already. As with GitHub, another token has other ETags. */
export function conditional(request: IncomingMessage, reply: Reply): Reply {
  if (request.method !== 'GET' || reply.status !== 200 || reply.body === undefined) return reply;
  if (reply.body instanceof Readable) return reply;
  const { bytes, type } = encode(reply.body);
  const { accept = '', authorization = '' } = request.headers;
  const hash = createHash('sha256').update(`${accept}\0${authorization}\0`).update(bytes).digest('hex');
  const etag = `W/"${hash}"`;
  const vary = 'Accept, Authorization, Cookie, X-GitHub-OTP';
  const headers = { 'content-type': type, vary, ...reply.headers, etag };
  const known = (request.headers['if-none-match'] ?? '').split(',').map((one) => one.trim());
  return known.includes(etag) || known.includes(`"${hash}"`)
    ? { status: 304, headers }
    : { status: 200, body: bytes, headers };
}

/** Sends a reply. */
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
    const length: Record<string, string> = reply.status === 304 ? {} : { 'content-length': '0' };
    response.writeHead(reply.status, { ...length, ...reply.headers });
    response.end();
    return;
  }
  const { bytes, type } = encode(reply.body);
  const length = { 'content-length': String(bytes.length) };
  response.writeHead(reply.status, { 'content-type': type, ...reply.headers, ...length });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

/** Sends the headers and half of the body of a reply, then cuts the connection; a reply without a body is cut before its headers. */
export function sendHalf(response: ServerResponse, reply: Reply): void {
  const cut = () => response.socket?.destroy();
  const { body } = reply;
  if (body instanceof Readable) {
    body.once('data', (chunk: Buffer) => {
      body.destroy();
      response.writeHead(reply.status, reply.headers);
      response.write(chunk.subarray(0, Math.ceil(chunk.length / 2)), cut);
    });
    body.on('error', cut);
    return;
  }
  const { bytes, type } = encode(body ?? '');
  if (bytes.length < 2) {
    cut();
    return;
  }
  const length = { 'content-length': String(bytes.length) };
  response.writeHead(reply.status, { 'content-type': type, ...reply.headers, ...length });
  response.write(bytes.subarray(0, bytes.length >> 1), cut);
}
