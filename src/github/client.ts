import type { Endpoints, OctokitResponse, RequestParameters } from '@octokit/types';
import type { Clock } from '../clock.ts';
import { spend, type WriteBudget } from './budget.ts';
import { classifySilence, isWrite } from './classify.ts';
import { GitHubError, MINT_ROUTE } from './errors.ts';
import { APP_ITSELF, type RateLimits } from './limits.ts';
import { isSameRepository, originOf } from './origin.ts';
import { seenEverywhere, UNSEEN_WAITS_MS } from './patience.ts';
import {
  createTokens,
  type GitAccess,
  type GitToken,
  type InstallationToken,
  type TokenScope,
  type Tokens,
} from './tokens.ts';
import { type CallLog, createWire, type Request, type SentCall, type Wire } from './wire.ts';

/*
 * Race ledger
 * A write is sent and the line breaks → it may have happened → never sent again here; `ambiguous` tells the caller
 *   to look first (test: "sends no write twice").
 * A token is used before all of GitHub knows it → 401 or 403, which is definite → asked again for up to five seconds,
 *   after a 401 then with a new token (test: "waits for a fresh token").
 * A thing was made a moment ago and is not seen everywhere → 404, which is definite → asked again for a second.
 * GitHub limits the App while other processes call → all of them read the same row before each call (./limits.ts).
 * Two calls find the same token refused → the second takes the token that the first has minted.
 */

/** A repository as the database knows it: the ids are its identity, owner and name its address of today. */
export interface RepoRef {
  readonly installationId: number;
  readonly repositoryId: number;
  readonly owner: string;
  readonly name: string;
}

/** `reader` reads code, `issues` talks to people, `control` writes branches and pulls, `workflows` workflows too. */
export type TokenProfile = 'reader' | 'issues' | 'control' | 'workflows';

/** What a call is about, with whose rights; `etag` asks for an answer only if it is another one than that. */
export interface CallTarget {
  readonly repo: RepoRef;
  readonly profile: TokenProfile;
  /** @throws GitHubError `not_modified` when nothing changed, which costs nothing of the rate limit */
  readonly etag?: string | undefined;
}

type Route = keyof Endpoints;
type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
type RepoParameters<R extends Route> = Without<Endpoints[R]['parameters'], 'owner' | 'repo'>;

export interface CallLimits {
  /** For one call as a whole, with its token and its second tries. Default 10 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** The only door to GitHub's REST API. */
export interface GitHub {
  /** The App's id, as set. */
  readonly appId: string;
  /** Where people look: `https://github.com`, without a slash at the end. */
  readonly webUrl: string;
  /** Where git fetches and pushes; holds no credentials. */
  gitUrl(repo: RepoRef): string;
  /**
   * One REST call with an installation token for one repository; `owner` and `repo` are filled in.
   * @throws GitHubError for every answer but 2xx; RetryableError with `retryAt` when the write budget is used up.
   */
  call<R extends Route>(
    target: CallTarget,
    route: R,
    parameters: RepoParameters<R>,
  ): Promise<Endpoints[R]['response']>;
  /** A page of the repositories that an installation reaches, with a token that sees names only. */
  listReach(installationId: number, page: number): Promise<Endpoints[typeof REACH_ROUTE]['response']>;
  /**
   * One REST call as the App itself, followed to where the repository with the id `follow` is now.
   * @throws GitHubError for every answer but 2xx.
   */
  callAsApp<R extends Route>(
    route: R,
    parameters: Endpoints[R]['parameters'],
    follow?: number,
  ): Promise<Endpoints[R]['response']>;
  /** A token for git, for one run, one repository and its contents only; the caller revokes it. */
  mintGitToken(repo: RepoRef, access: GitAccess): Promise<GitToken>;
  /** Makes a git token worthless; one that already is counts as revoked. */
  revokeGitToken(installationId: number, token: string): Promise<void>;
  /** The same door with tighter limits. */
  within(limits: CallLimits): GitHub;
}

export interface GitHubOptions {
  readonly appId: number | string;
  readonly privateKey: string;
  /** GitHub Enterprise Server's host (with port), unset for github.com. */
  readonly host?: string | undefined;
  readonly protocol?: string | undefined;
  readonly budget: WriteBudget;
  readonly clock: Clock;
  readonly log: CallLog;
  /** Shared by all processes, so that nobody calls while GitHub wants none. */
  readonly limits?: RateLimits;
  readonly timeoutMs?: number;
  readonly userAgent: string;
  readonly onCall?: (call: SentCall) => void;
}

interface Context {
  readonly options: GitHubOptions;
  readonly origin: { readonly api: string; readonly web: string };
  readonly wire: Wire;
  readonly tokens: Tokens;
  readonly limits: Required<Pick<CallLimits, 'timeoutMs'>> & CallLimits;
}

const REACH_ROUTE = 'GET /installation/repositories';
const DEFAULT_TIMEOUT_MS = 10_000;
/** auth-app's authors saw replicas refuse a new token for seconds; five of waiting has covered it. */
const FRESH_MS = 15_000;
const FRESH_WAITS_MS = [250, 500, 1000, 1500, 1750];
/** Where 403 and 404 are ordinary answers: settings that nobody wrote, a plan without rulesets. */
const MAY_BE_REFUSED = /^GET .*\/(contents\/\{path\}|rules\/branches\/\{branch\})$/;

/** Builds the client of one App; opens no connection. @throws FatalError when the private key can't be read. */
export function createGitHub(options: GitHubOptions): GitHub {
  const origin = originOf(options);
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const wire = createWire({ ...options, baseUrl: origin.api, timeoutMs });
  const tokens = createTokens(wire, options.clock);
  return door({ options, origin, wire, tokens, limits: { timeoutMs } });
}

function door(context: Context): GitHub {
  const { options, origin, tokens, limits } = context;
  return {
    appId: String(options.appId),
    webUrl: origin.web,
    gitUrl: (repo) => `${origin.web}/${repo.owner}/${repo.name}.git`,
    call: async (target, route, parameters) => {
      await spend(options.budget, target.repo.installationId, route);
      const { owner, name } = target.repo;
      const answer = await callWithToken(context, target, {
        callSite: route,
        route,
        parameters: { ...parameters, owner, repo: name },
        profile: target.profile,
        etag: target.etag,
        installationId: target.repo.installationId,
        signal: deadline(limits),
      });
      return answer as never;
    },
    listReach: async (installationId, page) => {
      const nowhere = { installationId, repositoryId: 0, owner: '', name: '' };
      const answer = await callWithToken(
        context,
        { repo: nowhere, profile: 'directory' },
        {
          callSite: REACH_ROUTE,
          route: REACH_ROUTE,
          parameters: { per_page: 100, page },
          profile: 'directory',
          installationId,
          signal: deadline(limits),
        },
      );
      return answer as never;
    },
    callAsApp: async (route, parameters, follow) =>
      (await askAsApp(context, { route, parameters, follow })) as never,
    mintGitToken: (repo, access) => tokens.mintGit(repo, access),
    revokeGitToken: (installationId, token) => tokens.revokeGit(installationId, token),
    within: (tighter) => door({ ...context, limits: { ...limits, ...tighter } }),
  };
}

async function askAsApp(
  { options, origin, wire, limits }: Context,
  asked: { route: string; parameters: RequestParameters; follow: number | undefined },
): Promise<OctokitResponse<unknown>> {
  const { route, parameters, follow } = asked;
  const signal = deadline(limits);
  const send = async () => wire.app.request(route, { ...parameters, request: { signal } });
  return seenEverywhere(options.clock, async () => {
    try {
      return await onceMore(route, send);
    } catch (error) {
      const location = error instanceof GitHubError && error.kind === 'moved' ? error.location : undefined;
      if (follow === undefined || !isSameRepository(origin.api, follow, location)) throw error;
      // Octokit knows by the path which calls are the App's own, and this one is of no path it knows.
      const { token } = (await wire.app.auth({ type: 'app' })) as { token: string };
      const own = {
        callSite: route,
        token,
        scheme: 'bearer',
        profile: 'app',
        installationId: APP_ITSELF,
      } as const;
      const to = redirected({ ...own, route, parameters, signal }, location);
      return onceMore(route, () => wire.send(to));
    }
  });
}

type Target = { readonly repo: RepoRef; readonly profile: TokenScope };

async function callWithToken(
  context: Context,
  target: Target,
  request: Omit<Request, 'token'>,
): Promise<OctokitResponse<unknown>> {
  const { tokens, options } = context;
  const { repo, profile } = target;
  const again = { token: [...FRESH_WAITS_MS], thing: [...UNSEEN_WAITS_MS] };
  let token = await before(request.signal, tokens.current(repo, profile));
  let renewed = false;
  for (;;) {
    try {
      return await ask(context, repo, { ...request, token: token.token });
    } catch (error) {
      const about = tooFresh(error, request.callSite, isFresh(token, options.clock));
      const wait = about && again[about].shift();
      if (wait !== undefined) {
        await options.clock.sleep(wait, request.signal);
      } else if (error instanceof GitHubError && error.kind === 'unauthorized' && !renewed) {
        renewed = true;
        token = await before(request.signal, tokens.renewed(repo, profile, token.token));
      } else {
        throw error;
      }
    }
  }
}

/** What may be so new that not all of GitHub knows it: the token, or the thing that is spoken of, or neither. */
function tooFresh(error: unknown, callSite: string, fresh: boolean): 'token' | 'thing' | undefined {
  if (!(error instanceof GitHubError)) return undefined;
  if (fresh && error.kind === 'unauthorized') return 'token';
  if (MAY_BE_REFUSED.test(callSite)) return undefined;
  if (error.kind === 'not_found' || error.kind === 'gone') return 'thing';
  return fresh && error.kind === 'forbidden' ? 'token' : undefined;
}

/** One request; a question is asked once more after a hiccup, and anything follows the repository to its new name. */
async function ask(context: Context, repo: RepoRef, request: Request): Promise<OctokitResponse<unknown>> {
  try {
    return await onceMore(request.callSite, () => context.wire.send(request));
  } catch (error) {
    const location = error instanceof GitHubError && error.kind === 'moved' ? error.location : undefined;
    if (location === undefined || !isSameRepository(context.origin.api, repo.repositoryId, location))
      throw error;
    return context.wire.send(redirected(request, location));
  }
}

/** A redirect was not carried out, so a write may follow it too, with its method and body. */
function redirected(request: Request, location: string): Request {
  const [method = 'GET', template = ''] = request.callSite.split(' ');
  const inPath = new Set([...template.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
  // A question's parameters are in the location already.
  const body = Object.entries(request.parameters).filter(([name]) => method !== 'GET' && !inPath.has(name));
  return { ...request, route: `${method} ${location}`, parameters: Object.fromEntries(body) };
}

async function onceMore<T>(route: string, send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    if (isWrite(route) || !(error instanceof GitHubError) || error.kind !== 'unavailable') throw error;
    const hiccup = error.status === undefined || [502, 503, 504].includes(error.status);
    if (!hiccup || error.retryAt !== undefined) throw error;
    return send();
  }
}

function isFresh(token: InstallationToken, clock: Clock): boolean {
  return clock.now().getTime() - token.mintedAt.getTime() < FRESH_MS;
}

function deadline(limits: Context['limits']): AbortSignal {
  const timeout = AbortSignal.timeout(limits.timeoutMs);
  return limits.signal ? AbortSignal.any([limits.signal, timeout]) : timeout;
}

/** Waits for a token no longer than the call may take; the mint goes on and serves the next call. */
async function before<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const ended = Promise.withResolvers<never>();
  const end = (): void => ended.reject(classifySilence(MINT_ROUTE, signal.reason));
  if (signal.aborted) end();
  signal.addEventListener('abort', end);
  try {
    return await Promise.race([work, ended.promise]);
  } finally {
    signal.removeEventListener('abort', end);
  }
}
