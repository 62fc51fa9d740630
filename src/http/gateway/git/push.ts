/**
 * `POST git-receive-pack`: a push, judged by its first bytes and streamed on.
 *
 * Races
 * - Two pushes with the same old sha → both may be recorded and forwarded; the host moves the ref for one of them and
 *   answers "ng" to the other, which is settled as refused.
 * - The sandbox goes away while its pack is under way → the request to the host is cut off, the host drops an
 *   unfinished pack; settled as unknown, since we can't see that.
 * - The sandbox goes away after its pack → the host's report is read to its end all the same and settled.
 * - We die between intent and settlement → the record says "intended"; whoever reads it asks the host.
 */

import type { IncomingMessage } from 'node:http';
import { PassThrough, type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { FastifyReply } from 'fastify';
import { crashPoint } from '../../../crash-point.ts';
import type { PushEnd } from '../backend.ts';
import { sandboxOf } from '../identity.ts';
import { type Refusal, refuse } from '../refuse.ts';
import type { GitCall } from './call.ts';
import { type PushHead, parsePushHead } from './pkt.ts';
import { judgePush } from './policy.ts';
import { readReport, refusalReport } from './report.ts';
import { openUpstream, responseOf } from './upstream.ts';

type Head = Extract<PushHead, { kind: 'head' }>;

/** The list of commands; a real one of ours is 200 bytes. */
const HEAD_BYTES = 1024 * 1024;
/** The host's report with its progress lines, bytes. */
const REPORT_BYTES = 4 * 1024 * 1024;
/** What is read of a refused push before the connection is cut, bytes. */
const DRAIN_BYTES = 256 * 1024 * 1024;
/** Refusals that say nothing of the push itself. */
const PASSING: ReadonlySet<number> = new Set([401, 408, 429]);
const RESULT_TYPE = 'application/x-git-receive-pack-result';
const REQUEST_TYPE = 'application/x-git-receive-pack-request';

/** What has been read so far, and the rest. */
interface Body {
  readonly read: Buffer;
  readonly rest: Readable;
}

/** Takes a push, or answers git's own report with the reason why not. */
export async function receivePack(call: GitCall): Promise<FastifyReply> {
  const { request, reply, target } = call;
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'gzip') return refuse(request, reply, 'unsupported');
  const { body, head } = await readHead(request.raw, encoding === 'gzip');
  if (head === null) {
    await drain(request.raw, body);
    return refuse(request, reply, 'unreadable');
  }
  const verdict = judgePush(head, target);
  if (verdict.kind === 'probe') {
    const carries = body.read.length > head.length;
    return carries ? refuse(request, reply, 'unreadable') : reply.type(RESULT_TYPE).send('');
  }
  if (verdict.kind === 'refused') return reject(call, { body, head, reason: verdict.reason });
  const tooLarge = `the push is larger than ${Math.floor(call.packBytes / 2 ** 20)} MiB`;
  if (Number(request.headers['content-length'] ?? 0) > call.packBytes) {
    return reject(call, { body, head, reason: tooLarge });
  }
  const intent = await call.backend.intend(sandboxOf(request), verdict.command);
  if ('refused' in intent) return reject(call, { body, head, reason: intent.refused });
  crashPoint('push.intended');
  const end = await forward(call, body, head);
  crashPoint('push.forwarded');
  await call.backend.settle(intent.id, end.state);
  crashPoint('push.settled');
  if (end.kind === 'too_large') return reject(call, { body, head, reason: tooLarge });
  if (end.kind === 'denied') return reject(call, { body, head, reason: end.reason });
  if (end.kind === 'failed') return refuse(request, reply, end.refusal);
  return reply.type(RESULT_TYPE).send(end.report);
}

type ForwardEnd =
  | { readonly kind: 'reported'; readonly state: PushEnd; readonly report: Buffer }
  | { readonly kind: 'too_large'; readonly state: PushEnd }
  | { readonly kind: 'denied'; readonly state: PushEnd; readonly reason: string }
  | { readonly kind: 'failed'; readonly state: PushEnd; readonly refusal: Refusal };

async function forward(call: GitCall, body: Body, head: Head): Promise<ForwardEnd> {
  const { request, target } = call;
  const authorization = await call.backend.authorization(sandboxOf(request), 'write').catch(() => null);
  // Nothing has left yet, so this is no unknown.
  if (authorization === null) return { kind: 'failed', state: 'refused', refusal: 'busy' };
  const outgoing = openUpstream({
    gitUrl: target.gitUrl,
    path: '/git-receive-pack',
    method: 'POST',
    authorization,
    from: request.headers,
    headers: { 'content-type': REQUEST_TYPE, accept: RESULT_TYPE },
    // A kept connection may have been closed by the host just now, and a push can't be sent twice blindly.
    agent: null,
  });
  const answered = responseOf(outgoing);
  const limit = createLimit(call.packBytes - body.read.length);
  outgoing.write(body.read);
  const sent = pipeline(body.rest, limit.stream, outgoing).catch(() => {});
  try {
    const response = await answered;
    return await readEnd(response, head);
  } catch {
    await sent;
    if (limit.exceeded()) return { kind: 'too_large', state: 'refused' };
    return { kind: 'failed', state: 'unknown', refusal: 'host_away' };
  }
}

async function readEnd(response: IncomingMessage, head: Head): Promise<ForwardEnd> {
  const status = response.statusCode ?? 0;
  if (status !== 200) {
    response.destroy();
    // A token that is too fresh, and a limit, are worth another try; 403 and 404 are the host's last word.
    if (PASSING.has(status)) return { kind: 'failed', state: 'refused', refusal: 'busy' };
    if (status >= 400 && status < 500) {
      return {
        kind: 'denied',
        state: 'refused',
        reason: `the git host refused the push with status ${status}`,
      };
    }
    return { kind: 'failed', state: 'unknown', refusal: 'host_away' };
  }
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    parts.push(part);
    length += part.length;
    if (length > REPORT_BYTES) throw new Error('the report is too long');
  }
  const report = Buffer.concat(parts);
  const state = readReport(report, head.capabilities);
  // git gives up on what it can't read; on a host that is away it looks again where the ref is.
  return state === 'unknown'
    ? { kind: 'failed', state, refusal: 'host_away' }
    : { kind: 'reported', state, report };
}

/** Reads up to the end of the commands. `head` is null when there is none within the limit. */
async function readHead(raw: IncomingMessage, gzip: boolean): Promise<{ body: Body; head: Head | null }> {
  const rest = gzip ? raw.pipe(createGunzip()) : raw.pipe(new PassThrough());
  raw.once('error', (error) => rest.destroy(error));
  raw.once('close', () => {
    if (!raw.complete) rest.destroy(new Error('the sandbox went away'));
  });
  // Errors reach whoever reads; between two readers nobody does, which must not end the process.
  rest.on('error', () => {});
  let read: Buffer = Buffer.alloc(0);
  try {
    for await (const part of rest.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      read = Buffer.concat([read, part]);
      const head = parsePushHead(read);
      if (head.kind === 'head') return { body: { read, rest }, head };
      if (head.kind === 'bad' || read.length > HEAD_BYTES) break;
    }
  } catch {
    // A body that broke off or is no gzip has no head.
  }
  return { body: { read, rest }, head: null };
}

/** Counts and fails beyond `bytes`; unpacked bytes count, so a small gzip body can't become a large one. */
function createLimit(bytes: number): { stream: Transform; exceeded(): boolean } {
  let left = bytes;
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      left -= chunk.length;
      done(left < 0 ? new Error('too large') : null, chunk);
    },
  });
  return { stream, exceeded: () => left < 0 };
}

/** Refuses in git's own words, which it shows: "[remote rejected] … (reason)". */
async function reject(
  call: GitCall,
  { body, head, reason }: { body: Body; head: Head; reason: string },
): Promise<FastifyReply> {
  await drain(call.request.raw, body);
  const line = reason.replace(/\p{Cc}/gu, ' ').slice(0, 500);
  return call.reply.type(RESULT_TYPE).send(refusalReport(head.commands, line, head.capabilities));
}

/**
 * Throws the rest of the body away: git reads no answer before it has sent everything. A sandbox that sends on and on
 * is cut off.
 */
async function drain(raw: IncomingMessage, { rest }: Body): Promise<void> {
  // Unpiped first: losing its last reader pauses a stream, and that would come after the resume below.
  raw.unpipe();
  rest.destroy();
  if (raw.complete || raw.destroyed) return;
  let left = DRAIN_BYTES;
  raw.on('data', (part: Buffer) => {
    left -= part.length;
    if (left < 0) raw.destroy();
  });
  raw.resume();
  await new Promise<void>((resolve) => {
    raw.once('end', resolve).once('close', resolve);
  });
}
