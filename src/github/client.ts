import type { Endpoints, OctokitResponse } from '@octokit/types';
import type { Clock } from '../clock.ts';
import { spend, type WriteBudget } from './budget.ts';
import { classifySilence, isWrite } from './classify.ts';
import { GitHubError, MINT_ROUTE } from './errors.ts';
import { createTokens, type GitToken, type InstallationToken, type Tokens } from './tokens.ts';
import { type CallLog, createWire, type Request, type SentCall, type Wire } from './wire.ts';

/*
 * Race ledger
 * A write is sent and the line breaks → it may have happened → never sent again here; `ambiguous` tells the caller
 *   to look first (test: "sends no write twice").
 * A token is used before all of GitHub knows it → 401, which is definite → asked again for up to five seconds, then
 *   with a new token (test: "waits for a fresh token").
 * Two calls find the same token refused → the second takes the token that the first has minted.
 */

/** A repository as the database knows it: the ids are its identity, owner and name its address of today. */
export interface RepoRef {
  readonly installationId: number;
  readonly repositoryId: number;
  readonly owner: string;
  readonly name: string;
}

/** `reader` for questions about code, `issues` for talking to people, `control` for branches and pull requests. */
export type TokenProfile = 'reader' | 'issues' | 'control';

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
    target: { readonly repo: RepoRef; readonly profile: TokenProfile },
    route: R,
    parameters: RepoParameters<R>,
  ): Promise<Endpoints[R]['response']>;
  /** One REST call as the App itself. @throws GitHubError for every answer but 2xx. */
  callAsApp<R extends Route>(
    route: R,
    parameters: Endpoints[R]['parameters'],
  ): Promise<Endpoints[R]['response']>;
  /** A token for git, for one run, one repository and its contents only; the caller revokes it. */
  mintGitToken(repo: RepoRef, access: 'read' | 'write'): Promise<GitToken>;
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

const DEFAULT_TIMEOUT_MS = 10_000;
/** auth-app's authors saw replicas refuse a new token for seconds; five of waiting has covered it. */
const FRESH_MS = 15_000;
const FRESH_WAITS_MS = [250, 500, 1000, 1500, 1750];

/** Builds the client of one App; opens no connection. @throws FatalError when the private key can't be read. */
export function createGitHub(options: GitHubOptions): GitHub {
  const origin = originOf(options);
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const wire = createWire({ ...options, baseUrl: origin.api, timeoutMs });
  const tokens = createTokens(wire, options.clock);
  return door({ options, origin, wire, tokens, limits: { timeoutMs } });
}

function door(context: Context): GitHub {
  const { options, origin, wire, tokens, limits } = context;
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
        installationId: target.repo.installationId,
        signal: deadline(limits),
      });
      return answer as never;
    },
    callAsApp: async (route, parameters) => {
      const request = { signal: deadline(limits) };
      const send = async () => wire.app.request(route as string, { ...parameters, request });
      return (await onceMore(route, send)) as never;
    },
    mintGitToken: (repo, access) => tokens.mintGit(repo, access),
    within: (tighter) => door({ ...context, limits: { ...limits, ...tighter } }),
  };
}

type Target = Parameters<GitHub['call']>[0];

async function callWithToken(
  context: Context,
  target: Target,
  request: Omit<Request, 'token'>,
): Promise<OctokitResponse<unknown>> {
  const { tokens, options } = context;
  const { repo, profile } = target;
  const waits = [...FRESH_WAITS_MS];
  let token = await before(request.signal, tokens.current(repo, profile));
  let renewed = false;
  for (;;) {
    try {
      return await ask(context, repo, { ...request, token: token.token });
    } catch (error) {
      if (!(error instanceof GitHubError) || error.kind !== 'unauthorized') throw error;
      const wait = isFresh(token, options.clock) ? waits.shift() : undefined;
      if (wait === undefined && renewed) throw error;
      if (wait === undefined) {
        renewed = true;
        token = await before(request.signal, tokens.renewed(repo, profile, token.token));
      } else {
        await options.clock.sleep(wait, request.signal);
      }
    }
  }
}

/** One request; a question is asked once more after a hiccup, and follows the repository to its new name. */
async function ask(context: Context, repo: RepoRef, request: Request): Promise<OctokitResponse<unknown>> {
  try {
    return await onceMore(request.callSite, () => context.wire.send(request));
  } catch (error) {
    const location = error instanceof GitHubError && error.kind === 'moved' ? error.location : undefined;
    if (isWrite(request.callSite) || !isSameRepository(context.origin.api, repo, location)) throw error;
    return context.wire.send({ ...request, route: `GET ${location}`, parameters: {} });
  }
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

/** GitHub redirects a renamed repository to its id; anything else (a transferred issue) is not ours to follow. */
function isSameRepository(api: string, repo: RepoRef, location: string | undefined): boolean {
  const home = `${api}/repositories/${repo.repositoryId}`;
  return location?.startsWith(home) === true && /^([/?]|$)/.test(location.slice(home.length));
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

function originOf({ host, protocol = 'https' }: GitHubOptions): { api: string; web: string } {
  if (host === undefined) return { api: 'https://api.github.com', web: 'https://github.com' };
  const web = `${protocol}://${host}`;
  return { api: `${web}/api/v3`, web };
}
