import type { IncomingMessage } from 'node:http';
import type { Actor } from './auth.ts';
import { gitProblem, gitRouteName, parseGitPath, serveGit } from './git-http.ts';
import { type GraphqlAnswerer, graphqlProblem } from './graphql.ts';
import { readBody } from './http-io.ts';
import type { RequestRecord } from './records.ts';
import { type Problem, problem, problemReply, type Reply } from './reply.ts';
import type { createRest } from './rest/dispatch.ts';
import { spend, weightOfGraphql, weightOfRest } from './secondary-limits.ts';
import type { Json, World } from './state.ts';
import type { Resource } from './usage.ts';

const MAX_BODY_BYTES = 25 * 1024 * 1024;

/** How one request will be done, named before anything of it is done. */
export interface Plan {
  readonly kind: RequestRecord['kind'];
  readonly route: string;
  /** Which limit it counts against; null for what is not counted. */
  readonly resource: Resource | null;
  /** The JSON of the request, once it was read. */
  sent?: Json;
  run(actor: Actor): Promise<Reply>;
  explain(error: Problem, actor: Actor): Reply;
}

export interface Arrival {
  readonly world: World;
  readonly planRest: ReturnType<typeof createRest>;
  readonly graphql: GraphqlAnswerer;
  readonly request: IncomingMessage;
  readonly url: URL;
}

/** The plan of a REST, GraphQL or git request; null for a page. */
export function planOf(arrival: Arrival): Plan | null {
  const { world, request, url } = arrival;
  const method = request.method ?? 'GET';
  const git = parseGitPath(url);
  if (git) {
    const run = (actor: Actor) => serveGit(world, git, { request, url, actor });
    return { kind: 'git', route: gitRouteName(git), resource: null, run, explain: gitProblem };
  }
  if (url.pathname === '/api/graphql') {
    const run = async (actor: Actor) => {
      const body = await jsonBody(request);
      spend(world, actor, weightOfGraphql(String(body.query)));
      return arrival.graphql(world, actor, body);
    };
    return { kind: 'graphql', route: 'POST /graphql', resource: 'graphql', run, explain: graphqlProblem };
  }
  if (!url.pathname.startsWith('/api/v3')) return null;
  const path = url.pathname.slice('/api/v3'.length) || '/';
  const planned = arrival.planRest(method, path);
  const run = async (actor: Actor) => {
    spend(world, actor, weightOfRest(planned.route));
    const body = await jsonBody(request);
    plan.sent = body;
    return planned.run({
      method,
      path,
      query: url.searchParams,
      accept: String(request.headers.accept ?? ''),
      actor,
      body,
    });
  };
  const resource = planned.route === 'GET /rate_limit' ? null : 'core';
  const plan: Plan = { kind: 'rest', route: planned.route, resource, run, explain: problemReply };
  return plan;
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
