// Race ledger
// - two pushes, or a push and a REST write: receive-pack takes its turn in the repository's queue of writes, with its body read beforehand.
// - a client that goes away while it fetches: the process is killed when the response closes.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { holds, requireNeed, requireReach } from './access.ts';
import { type Actor, accountOfActor } from './auth.ts';
import { parseCommands, refusalReport } from './git/receive-pack.ts';
import { gitEnvironment } from './git/run.ts';
import { readBody } from './http-io.ts';
import { refChanged } from './ref-changes.ts';
import { notFound, type Problem, type Reply } from './reply.ts';
import { type BranchChange, refusalOf } from './rules.ts';
import { findRepository, fullName, type Repository, serially, type World } from './state.ts';

export interface GitRequest {
  readonly name: string;
  readonly service: 'git-upload-pack' | 'git-receive-pack';
  /** `info/refs` is the first of the two requests of a fetch or push. */
  readonly advertise: boolean;
}

const MAX_PUSH_BYTES = 512 * 1024 * 1024;

/** Reads `/{owner}/{repo}[.git]/…`; null for what is no git request. */
export function parseGitPath(url: URL): GitRequest | null {
  const match = /^\/([^/]+\/[^/]+?)(?:\.git)?\/(info\/refs|git-upload-pack|git-receive-pack)$/.exec(
    url.pathname,
  );
  if (!match) return null;
  const [, name = '', end = ''] = match;
  const service = end === 'info/refs' ? url.searchParams.get('service') : end;
  if (service !== 'git-upload-pack' && service !== 'git-receive-pack') return null;
  return { name, service, advertise: end === 'info/refs' };
}

/** How a git request stands in the request log. */
export function gitRouteName(git: GitRequest): string {
  return git.advertise
    ? `GET /{owner}/{repo}.git/info/refs?service=${git.service}`
    : `POST /{owner}/{repo}.git/${git.service}`;
}

/** Git wants plain text, and a challenge before it sends its credentials. */
export function gitProblem(error: Problem, actor: Actor): Reply {
  const anonymous = actor.kind === 'anonymous';
  const status = anonymous || error.status === 401 ? 401 : error.status;
  const headers: Record<string, string> =
    status === 401 ? { 'www-authenticate': 'Basic realm="GitHub"' } : {};
  return { status, body: `${status === 404 ? 'Repository not found.' : error.message}\n`, headers };
}

/** Serves one smart-HTTP request through `git http-backend`. */
export async function serveGit(
  world: World,
  git: GitRequest,
  at: { request: IncomingMessage; url: URL; actor: Actor },
): Promise<Reply> {
  const repo = findRepository(world, git.name);
  if (!repo) return moved(world, git, at.url);
  const writes = git.service === 'git-receive-pack';
  if (!(at.actor.kind === 'anonymous' && writes)) requireReach(at.actor, repo);
  requireNeed(at.actor, repo, {
    anyOf: [writes ? 'contents:write' : 'contents:read'],
    role: writes ? 'write' : 'read',
  });
  if (git.advertise || !writes) {
    const body = git.advertise ? null : await readBody(at.request, MAX_PUSH_BYTES);
    return backend(world, repo, { git, body, ...at });
  }
  const received = await readBody(at.request, MAX_PUSH_BYTES);
  const body = at.request.headers['content-encoding'] === 'gzip' ? gunzipSync(received) : received;
  return serially(repo, () => receive(world, repo, { git, body, ...at }));
}

function moved(world: World, git: GitRequest, url: URL): Reply {
  const repo = world.repositories.get(world.formerNames.get(git.name.toLowerCase()) ?? -1);
  if (!repo) throw notFound();
  const end = git.advertise ? `info/refs${url.search}` : git.service;
  const location = `${world.url}/${fullName(world, repo)}.git/${end}`;
  return { status: git.advertise ? 301 : 307, body: 'Moved Permanently\n', headers: { location } };
}

interface Exchange {
  readonly git: GitRequest;
  readonly request: IncomingMessage;
  readonly url: URL;
  readonly actor: Actor;
  readonly body: Buffer | null;
}

/** Takes a push: refused whole where a rule forbids a part of it, else done by git; then everybody hears of it before the client does. */
async function receive(world: World, repo: Repository, exchange: Exchange): Promise<Reply> {
  const commands = parseCommands(exchange.body ?? Buffer.alloc(0));
  const refusals = new Map<string, string>();
  for (const command of commands.changes) {
    const why = await pushRefusal(repo, exchange.actor, command);
    if (why) refusals.set(command.ref, why);
  }
  if (refusals.size > 0) return refusalReport(commands, refusals);
  const reply = await backend(world, repo, exchange);
  const answer = await collect(reply);
  const by = accountOfActor(world, exchange.actor);
  for (const change of commands.changes) {
    const now = (await repo.git.read(change.ref))?.sha ?? '0'.repeat(40);
    if (by && now === change.after) await refChanged({ world, repo, by }, change);
  }
  return { ...reply, body: answer };
}

async function pushRefusal(repo: Repository, actor: Actor, change: BranchChange): Promise<string | null> {
  if (change.ref.startsWith('refs/pull/')) return 'deny updating a hidden ref';
  const refusal = await refusalOf(repo, change);
  if (refusal) return `push declined due to repository rule violations: ${refusal}`;
  return actor.kind === 'installation' && !holds(actor.permissions, 'contents:write')
    ? 'permission denied'
    : null;
}

async function collect(reply: Reply): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of reply.body as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function cgiEnvironment(world: World, repo: Repository, exchange: Exchange): NodeJS.ProcessEnv {
  const { git, request, url, body } = exchange;
  const gunzipped = git.service === 'git-receive-pack';
  return {
    ...gitEnvironment(),
    GIT_PROJECT_ROOT: world.root,
    GIT_HTTP_EXPORT_ALL: '1',
    PATH_INFO: `/${repo.id}.git/${git.advertise ? 'info/refs' : git.service}`,
    QUERY_STRING: url.search.slice(1),
    REQUEST_METHOD: request.method ?? 'GET',
    CONTENT_TYPE: request.headers['content-type'] ?? '',
    HTTP_CONTENT_ENCODING: gunzipped ? '' : (request.headers['content-encoding'] ?? ''),
    GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
    REMOTE_USER: 'git',
    REMOTE_ADDR: '127.0.0.1',
    ...(body ? { CONTENT_LENGTH: String(body.length) } : {}),
  };
}

function backend(world: World, repo: Repository, exchange: Exchange): Promise<Reply> {
  const child = spawn('git', ['http-backend'], { env: cgiEnvironment(world, repo, exchange) });
  child.stdin.on('error', () => undefined); // git may answer before it has read everything
  child.stdin.end(exchange.body ?? undefined);
  child.stderr.resume();
  return cgiReply(child);
}

/** Turns CGI output into a reply whose body is still to come. */
function cgiReply(child: ChildProcessWithoutNullStreams): Promise<Reply> {
  return new Promise((resolve, reject) => {
    let head = Buffer.alloc(0);
    const body = new PassThrough();
    body.on('close', () => child.kill());
    child.on('error', reject);
    child.stdout.on('end', () => reject(new Error('git http-backend gave no answer'))); // changes nothing once resolved
    const onData = (chunk: Buffer) => {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      child.stdout.off('data', onData);
      body.write(head.subarray(end + 4));
      child.stdout.pipe(body);
      resolve({ ...cgiHead(head.toString('latin1', 0, end)), body });
    };
    child.stdout.on('data', onData);
  });
}

function cgiHead(text: string): { status: number; headers: Record<string, string> } {
  const pairs = text.split('\r\n').map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  const { status = '200', ...headers } = Object.fromEntries(pairs);
  return { status: Number.parseInt(status, 10), headers };
}
