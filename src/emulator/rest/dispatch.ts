import { requireNeed, requireReach } from '../access.ts';
import { type Actor, accountOfActor } from '../auth.ts';
import { isPull } from '../issue-actions.ts';
import { notFound, problem, type Reply } from '../reply.ts';
import { createRouter, type Match, routeName } from '../router.ts';
import {
  findRepository,
  fullName,
  type Json,
  type Repository,
  type Role,
  serially,
  type World,
} from '../state.ts';
import type { Call, RepoCall, Route } from './call.ts';
import { movedTo } from './moved.ts';
import { ROUTES } from './routes.ts';

export interface RestRequest {
  readonly method: string;
  /** Below `/api/v3`, still percent-encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly accept: string;
  readonly actor: Actor;
  readonly body: Json;
}

export interface Planned {
  /** `GET /repos/{owner}/{repo}`, or the plain path where nothing matches. */
  readonly route: string;
  run(request: RestRequest): Promise<Reply>;
}

/** Makes the planner: it names the route of a request before the request is done. */
export function createRest(world: World): (method: string, path: string) => Planned {
  const router = createRouter(ROUTES);
  return (method, path) => {
    const canonical = byId(world, path);
    const match = router.find(method, canonical);
    if (!match) return { route: `${method} ${path}`, run: () => Promise.reject(notFound()) };
    return {
      route: routeName(match.route),
      run: (request) => run(world, match, { ...request, path: canonical }),
    };
  };
}

/** `/repositories/{id}/…` is another name for `/repos/{owner}/{repo}/…`; redirects of renamed repositories lead there. */
function byId(world: World, path: string): string {
  const match = /^\/repositories\/(\d+)(\/.*)?$/.exec(path);
  const repo = match && world.repositories.get(Number(match[1]));
  return repo ? `/repos/${fullName(world, repo)}${match?.[2] ?? ''}` : path;
}

async function run(world: World, match: Match<Route>, request: RestRequest): Promise<Reply> {
  const { route, params } = match;
  const { query, body, accept, actor } = request;
  const call: Call = { world, params, query, body, accept, actor };
  if (route.kind === 'open') return route.handle(call);
  if (route.kind === 'app') {
    if (actor.kind !== 'app') throw problem(401, 'A JSON web token could not be decoded');
    return route.handle({ ...call, app: actor.app });
  }
  const found = findRepository(world, `${params.owner}/${params.repo}`);
  if (!found) return elsewhere(world, match, request);
  const repoCall: RepoCall = { ...call, repo: found, account: accountOfActor(world, actor) };
  const checked = async () => {
    requireReach(actor, found);
    requireNeed(actor, found, needOf(repoCall, route.need));
    return route.handle(repoCall);
  };
  return request.method === 'GET' ? checked() : serially(found, checked);
}

/** A repository that had this name once is redirected to by its id; 404 for all others. */
function elsewhere(world: World, match: Match<Route>, request: RestRequest): Reply {
  const old = `${match.params.owner}/${match.params.repo}`;
  const { method, query } = request;
  const rest = request.path.slice(`/repos/${old}`.length);
  const reply = movedTo(world, old, { method, rest, query });
  if (!reply) throw notFound();
  return reply;
}

/** `issue:write` asks for issues, or for pull requests where the number (or the comment's issue) is one; `@role` says what a person needs. */
function needOf(call: RepoCall, need: string): { anyOf: readonly string[]; role: Role } {
  const [permission = '', role] = need.split('@') as [string | undefined, Role | undefined];
  const [name, level] = permission.split(':');
  const anyOf = name === 'issue' ? issueNeeds(call.repo, call.params, level ?? 'read') : [permission];
  return { anyOf, role: role ?? (level === 'read' ? 'read' : 'write') };
}

function issueNeeds(repo: Repository, params: Record<string, string>, level: string): string[] {
  const issue = params.comment_id
    ? repo.commentOwners.get(Number(params.comment_id))
    : repo.issues.get(Number(params.issue_number));
  const either = issue ? isPull(issue) : params.issue_number === undefined;
  return either ? [`issues:${level}`, `pull_requests:${level}`] : [`issues:${level}`];
}
