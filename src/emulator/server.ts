import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Actor, authenticate, recordOf } from './auth.ts';
import { faultFor, underFault } from './faults.ts';
import { createGraphql } from './graphql.ts';
import { conditional, sendHalf, sendReply } from './http-io.ts';
import { renderPage } from './pages/render.ts';
import { type Arrival, type Plan, planOf } from './plan.ts';
import { giveBack, rateHeaders, rateOf, takeOne } from './primary-limits.ts';
import type { RequestRecord } from './records.ts';
import { Problem, type Reply } from './reply.ts';
import { createRest } from './rest/dispatch.ts';
import { underWay } from './secondary-limits.ts';
import { now, type World } from './state.ts';

export interface RequestLine {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly actor: string;
}

/** Makes the one server for REST, GraphQL, git and pages. */
export function createEmulatorServer(world: World, log?: (line: RequestLine) => void): Server {
  const planRest = createRest(world);
  const graphql = createGraphql();
  const server = createServer((request, response) => {
    answer({ world, planRest, graphql, request, url: urlOf(world, request) }, response, log).catch(
      (error: unknown) => crash(response, error),
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
    const done = await attempt({ world, plan, actor, refused });
    world.hooks.onExchange?.({ record, sent: plan.sent, reply: done });
    return done;
  };
  const outcome = await underFault(faultFor(world.hooks, record), work);
  if (outcome.cut === 'before') {
    request.socket.destroy();
    return;
  }
  const reply = plan.kind === 'git' ? outcome.reply : asApi({ world, plan, actor, request }, outcome.reply);
  if (outcome.cut === 'half') {
    sendHalf(response, reply);
    return;
  }
  record.status = reply.status;
  serving.log?.({ method, path, status: reply.status, actor: describe(record) });
  sendReply(request, response, reply);
}

interface Attempt {
  readonly world: World;
  readonly plan: Plan;
  readonly actor: Actor;
  readonly refused: Problem | null;
}

async function attempt({ world, plan, actor, refused }: Attempt): Promise<Reply> {
  try {
    if (refused) throw refused;
    if (plan.kind === 'git') return await plan.run(actor);
    if (plan.resource) takeOne(world, actor, plan.resource);
    return await underWay(world, actor, () => plan.run(actor));
  } catch (error) {
    if (error instanceof Problem) return plan.explain(error, actor);
    throw error;
  }
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

interface Asking {
  readonly world: World;
  readonly plan: Plan;
  readonly actor: Actor;
  readonly request: IncomingMessage;
}

/** An answer with its ETag (or 304 in its place), its rate and the other headers of every answer of the API. */
function asApi({ world, plan, actor, request }: Asking, reply: Reply): Reply {
  const answer = conditional(request, reply);
  if (answer.status === 304 && plan.resource) giveBack(world, actor, plan.resource);
  const headers = {
    date: now(world).toUTCString(),
    'x-github-media-type': 'github.v3; format=json',
    'x-github-request-id': randomUUID(),
    ...rateHeaders(rateOf(world, actor, plan.resource ?? 'core')),
    ...answer.headers,
  };
  return { ...answer, headers };
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
