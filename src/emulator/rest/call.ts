import type { Actor } from '../auth.ts';
import { problem, type Reply } from '../reply.ts';
import type { Account, App, Json, Repository, World } from '../state.ts';

export interface Call {
  readonly world: World;
  readonly params: Record<string, string>;
  readonly query: URLSearchParams;
  readonly body: Json;
  /** The request's `Accept` header. */
  readonly accept: string;
  readonly actor: Actor;
}

export interface RepoCall extends Call {
  readonly repo: Repository;
  /** Who acts, as an account; an anonymous reader has none. */
  readonly account: Account | null;
}

export interface AppCall extends Call {
  readonly app: App;
}

/** `contents:write`; or several of which one is enough; `issue:write` means issues, or pull requests where the number is one. */
export type Need = string;

interface RouteBase {
  readonly method: string;
  readonly path: string;
}

export type Route =
  | (RouteBase & { readonly kind: 'open'; handle(call: Call): Reply | Promise<Reply> })
  | (RouteBase & { readonly kind: 'app'; handle(call: AppCall): Reply | Promise<Reply> })
  | (RouteBase & {
      readonly kind: 'repo';
      readonly need: Need;
      handle(call: RepoCall): Reply | Promise<Reply>;
    });

function split(key: string): RouteBase {
  const [method = '', path = ''] = key.split(' ');
  return { method, path };
}

/** A route that anybody may call; it looks at the actor itself. */
export function openRoute(key: string, handle: (call: Call) => Reply | Promise<Reply>): Route {
  return { ...split(key), kind: 'open', handle };
}

/** A route for an App's JWT. */
export function appRoute(key: string, handle: (call: AppCall) => Reply | Promise<Reply>): Route {
  return { ...split(key), kind: 'app', handle };
}

/** A route below `/repos/{owner}/{repo}`, for whoever has what `need` asks for. */
export function repoRoute(
  key: string,
  need: Need,
  handle: (call: RepoCall) => Reply | Promise<Reply>,
): Route {
  return { ...split(key), kind: 'repo', need, handle };
}

/** Who acts; writes always have somebody. */
export function actingAccount(call: RepoCall): Account {
  if (!call.account) throw problem(401, 'Requires authentication');
  return call.account;
}

/** The App behind an installation token, for `performed_via_github_app`. */
export function actingAppId(call: Call): number | null {
  return call.actor.kind === 'installation' ? call.actor.app.id : null;
}
