import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyReply } from 'fastify';
import { sandboxOf } from '../identity.ts';
import { refuse } from '../refuse.ts';
import type { GitCall } from './call.ts';
import { openUpstream, responseOf } from './upstream.ts';

const SERVICE = /^\?service=(git-upload-pack|git-receive-pack)$/;
/** A token that was just made is refused by some of the host's machines for some seconds. Milliseconds. */
const FRESH_TOKEN_WAITS = [500, 1_500, 3_000];
const REPLY_HEADERS = [
  'content-type',
  'content-encoding',
  'content-length',
  'cache-control',
  'expires',
  'pragma',
];

/** `GET info/refs`: what the repository has, for a fetch or a push. */
export async function advertise(call: GitCall): Promise<FastifyReply> {
  const { request, reply } = call;
  const [, search = ''] = /^[^?]*(\?.*)?$/.exec(request.url) ?? [];
  const service = SERVICE.exec(search)?.[1];
  if (!service) return refuse(request, reply, 'no_git_service');
  const access = service === 'git-receive-pack' ? 'write' : 'read';
  for (let attempt = 0; ; attempt += 1) {
    const authorization = await call.backend.authorization(sandboxOf(request), access, attempt > 0);
    const response = await ask(call, authorization, search).catch(() => null);
    if (response === null) return refuse(request, reply, 'host_away');
    const wait = FRESH_TOKEN_WAITS[attempt];
    if (!isAuthFailure(response) || wait === undefined) return passOn(call, response);
    response.destroy();
    await delay(wait);
  }
}

function ask(call: GitCall, authorization: string, search: string): Promise<IncomingMessage> {
  const encoding = call.request.headers['accept-encoding'];
  const outgoing = openUpstream({
    gitUrl: call.target.gitUrl,
    path: `/info/refs${search}`,
    method: 'GET',
    authorization,
    from: call.request.headers,
    headers: /gzip/.test(String(encoding)) ? { 'accept-encoding': 'gzip' } : {},
    agent: call.upstream.agents,
  });
  outgoing.end();
  return responseOf(outgoing);
}

/** `POST git-upload-pack`: a fetch. The request's body, gzip or not, and the pack are streamed through. */
export async function fetchPack(call: GitCall): Promise<FastifyReply> {
  const { request, reply } = call;
  const authorization = await call.backend.authorization(sandboxOf(request), 'read');
  const headers: Record<string, string> = {
    'content-type': 'application/x-git-upload-pack-request',
    accept: 'application/x-git-upload-pack-result',
  };
  if (request.headers['content-encoding'] === 'gzip') headers['content-encoding'] = 'gzip';
  const length = request.headers['content-length'];
  if (length !== undefined) headers['content-length'] = length;
  const outgoing = openUpstream({
    gitUrl: call.target.gitUrl,
    path: '/git-upload-pack',
    method: 'POST',
    authorization,
    from: request.headers,
    headers,
    agent: call.upstream.agents,
  });
  // A client that goes away takes its request to the host along.
  reply.raw.once('close', () => outgoing.destroy());
  const answered = responseOf(outgoing);
  // A break on this side shows as an error of `outgoing`, which `answered` reports.
  pipeline(request.raw, outgoing, () => {});
  const response = await answered.catch(() => null);
  return response === null ? refuse(request, reply, 'host_away') : passOn(call, response);
}

/** Streams a good reply on; anything else becomes one of our own refusals, so that no text of the host gets in. */
function passOn({ request, reply }: GitCall, response: IncomingMessage): FastifyReply {
  if (isOfGit(response)) {
    for (const name of REPLY_HEADERS) {
      const value = response.headers[name];
      if (value !== undefined) reply.header(name, value);
    }
    return reply.send(response);
  }
  response.destroy();
  const definite = response.statusCode === 403 || response.statusCode === 404;
  return refuse(request, reply, definite ? 'host_refused' : 'host_away');
}

/** A page of something in between is no answer: git would take a host that knows only files for it, and give up. */
function isOfGit({ statusCode, headers }: IncomingMessage): boolean {
  return statusCode === 200 && (headers['content-type'] ?? '').startsWith('application/x-git-');
}

function isAuthFailure(response: IncomingMessage): boolean {
  return [401, 403, 404].includes(response.statusCode ?? 0);
}
