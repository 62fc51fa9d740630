import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Actor, authenticate, recordOf } from './auth.ts';
import { underFault } from './faults.ts';
import { gitProblem, gitRouteName, parseGitPath, serveGit } from './git-http.ts';
import { answerGraphql } from './graphql.ts';
import { readBody, sendReply } from './http-io.ts';
import { renderPage } from './pages/render.ts';
import type { RequestRecord } from './records.ts';
import { Problem, problem, problemReply, type Reply } from './reply.ts';
import { createRest } from './rest/dispatch.ts';
import { RATE_LIMIT } from './rest/users.ts';
import { type Json, now, type World } from './state.ts';

const MAX_BODY_BYTES = 25 * 1024 * 1024;

export interface RequestLine {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly actor: string;
}

interface Plan {
  readonly kind: RequestRecord['kind'];
  readonly route: string;
  run(actor: Actor): Promise<Reply>;
  explain(error: Problem, actor: Actor): Reply;
}

/** Makes the one server for REST, GraphQL, git and pages. */
export function createEmulatorServer(world: World, log?: (line: RequestLine) => void): Server {
  const planRest = createRest(world);
  const server = createServer((request, response) => {
    answer({ world, planRest, request, url: urlOf(world, request) }, response, log).catch((error: unknown) =>
      crash(response, error),
    );
  });
  server.keepAliveTimeout = 65_000; // longer than any client waits, so that no request meets a closing connection
  return server;
}

function urlOf(world: World, request: IncomingMessage): URL {
  const path = (request.url ?? '/').replace(/^\/+/, '/');
  return URL.parse(path, world.url) ?? new URL(world.url);
}

async function answer(
  arrival: Arrival,
  response: ServerResponse,
  log?: (line: RequestLine) => void,
): Promise<void> {
  const plan = planOf(arrival);
  const { world, request, url } = arrival;
  if (plan) await serve(world, plan, { request, response, url, log });
  else await servePage(arrival, response);
}

function crash(response: ServerResponse, error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`emulator: ${text}\n`);
  if (!response.headersSent) response.writeHead(500, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ message: 'Emulator failure', status: '500' }));
}

interface Arrival {
  readonly world: World;
  readonly planRest: ReturnType<typeof createRest>;
  readonly request: IncomingMessage;
  readonly url: URL;
}

function planOf(arrival: Arrival): Plan | null {
  const { world, request, url } = arrival;
  const method = request.method ?? 'GET';
  const git = parseGitPath(url);
  if (git) {
    const run = (actor: Actor) => serveGit(world, git, { request, url, actor });
    return { kind: 'git', route: gitRouteName(git), run, explain: gitProblem };
  }
  if (url.pathname === '/api/graphql') {
    const run = async (actor: Actor) => answerGraphql(world, actor, await jsonBody(request));
    return { kind: 'graphql', route: 'POST /graphql', run, explain: problemReply };
  }
  if (!url.pathname.startsWith('/api/v3')) return null;
  const path = url.pathname.slice('/api/v3'.length) || '/';
  const planned = arrival.planRest(method, path);
  const run = async (actor: Actor) => {
    const body = await jsonBody(request);
    return planned.run({
      method,
      path,
      query: url.searchParams,
      accept: String(request.headers.accept ?? ''),
      actor,
      body,
    });
  };
  return { kind: 'rest', route: planned.route, run, explain: problemReply };
}

async function jsonBody(request: IncomingMessage): Promise<Json> {
  const text = (await readBody(request, MAX_BODY_BYTES)).toString();
  if (text.trim() === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Json) : {};
  } catch {
    throw problem(400, 'Problems parsing JSON');
  }
}

interface Serving {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly log: ((line: RequestLine) => void) | undefined;
}

async function serve(world: World, plan: Plan, serving: Serving): Promise<void> {
  const { request, response, url } = serving;
  const { actor, refused } = identify(world, request);
  const method = request.method ?? 'GET';
  const path = url.pathname + url.search;
  const record: RequestRecord = {
    kind: plan.kind,
    at: Date.now(),
    method,
    route: plan.route,
    path,
    actor: recordOf(actor),
    status: null,
  };
  world.requests.push(record);
  const work = async () => {
    try {
      if (refused) throw refused;
      return await plan.run(actor);
    } catch (error) {
      if (error instanceof Problem) return plan.explain(error, actor);
      throw error;
    }
  };
  const reply = await underFault(world.hooks.onRequest?.(record), work);
  if (reply === 'reset') {
    request.socket.destroy();
    return;
  }
  record.status = reply.status;
  serving.log?.({ method, path, status: reply.status, actor: describe(record) });
  sendReply(request, response, plan.kind === 'git' ? reply : withApiHeaders(world, reply));
}

function identify(world: World, request: IncomingMessage): { actor: Actor; refused: Problem | null } {
  try {
    return { actor: authenticate(world, request.headers.authorization), refused: null };
  } catch (error) {
    if (error instanceof Problem) return { actor: { kind: 'anonymous' }, refused: error };
    throw error;
  }
}

function describe(record: RequestRecord): string {
  const { actor } = record;
  if (actor.kind === 'user') return actor.login;
  if (actor.kind === 'installation') return `installation ${actor.installationId}`;
  return actor.kind === 'app' ? `app ${actor.appId}` : 'anonymous';
}

function withApiHeaders(world: World, reply: Reply): Reply {
  const reset = String(Math.floor(now(world).getTime() / 1000) + 3600);
  const headers = {
    'x-github-media-type': 'github.v3; format=json',
    'x-github-request-id': randomUUID(),
    'x-ratelimit-limit': String(RATE_LIMIT),
    'x-ratelimit-remaining': String(RATE_LIMIT),
    'x-ratelimit-used': '0',
    'x-ratelimit-reset': reset,
    'x-ratelimit-resource': 'core',
    ...reply.headers,
  };
  return { ...reply, headers };
}

async function servePage({ world, request, url }: Arrival, response: ServerResponse): Promise<void> {
  const page =
    request.method === 'GET' || request.method === 'HEAD' ? await renderPage(world, url.pathname) : null;
  const html = {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
  };
  if (page === null) sendReply(request, response, { status: 404, body: '<h1>404</h1>', headers: html });
  else sendReply(request, response, { status: 200, body: page, headers: html });
}
