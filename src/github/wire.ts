import { App } from '@octokit/app';
import { Octokit } from '@octokit/core';
import type { OctokitOptions } from '@octokit/core/types';
import type { OctokitResponse, RequestParameters } from '@octokit/types';
import type { Clock } from '../clock.ts';
import { type WriteKind, writeKindOf } from './budget.ts';
import { classifyAnswer, classifySilence } from './classify.ts';
import { GitHubError } from './errors.ts';
import { createJwtSigner } from './jwt.ts';
import { APP_ITSELF, type Counted, pass, type RateLimits, remember } from './limits.ts';

/** One HTTP request that was sent, for counters. */
export interface SentCall {
  readonly route: string;
  /** Whose credentials: `app` is the App's own JWT (tokens are minted with it), `git` a run's git token. */
  readonly profile: 'reader' | 'issues' | 'control' | 'workflows' | 'directory' | 'app' | 'git';
  /** The HTTP status; 0 when no answer came. */
  readonly status: number;
  readonly ms: number;
  readonly write: WriteKind | undefined;
}

export interface CallLog {
  debug(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface WireOptions {
  readonly appId: number | string;
  readonly privateKey: string;
  readonly baseUrl: string;
  readonly userAgent: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly log: CallLog;
  /** Unset in short-lived programs, which ask a few questions and share nothing with others. */
  readonly limits?: RateLimits;
  readonly onCall?: (call: SentCall) => void;
}

export interface Request {
  /** Names the call in logs and errors. */
  readonly callSite: string;
  /** What is asked; differs from the call site when a redirect is followed. */
  readonly route: string;
  readonly parameters: RequestParameters;
  readonly token: string;
  /** `bearer` for the App's JWT. Default `token`. */
  readonly scheme?: 'token' | 'bearer';
  /** Of an answer that need not be sent again. */
  readonly etag?: string | undefined;
  readonly profile: SentCall['profile'];
  readonly installationId: number;
  readonly signal: AbortSignal;
}

export interface Wire {
  /** Knows the App's JWT and mints tokens. */
  readonly app: Octokit;
  /** Sends one request with the given token; throws GitHubError for all but a 2xx with a sound body. */
  send(request: Request): Promise<OctokitResponse<unknown>>;
}

interface Site {
  readonly route: string;
  readonly profile: SentCall['profile'];
  readonly installation: number | undefined;
}

/** Builds the two plain clients (no retry plugin, no throttle): one for the App's JWT, one for tokens. */
export function createWire(options: WireOptions): Wire {
  const log = octokitLog(options.log);
  const defaults = {
    baseUrl: options.baseUrl,
    userAgent: options.userAgent,
    log,
    request: { fetch: boundedFetch(options.timeoutMs), redirect: 'manual' as const, log },
  };
  const createJwt = createJwtSigner(options.privateKey);
  const { octokit: app } = new App({
    appId: options.appId,
    privateKey: options.privateKey,
    log,
    // Our signer, since the library's parses the key for each call: slow, and leftovers in OpenSSL's error queue
    // (seen after a TLS socket broke) make that fail.
    Octokit: Octokit.defaults((given: OctokitOptions) => ({
      ...given,
      ...defaults,
      auth: { appId: options.appId, createJwt },
    })),
  });
  app.hook.before('request', setVersion);
  app.hook.wrap('request', (request, sent) => {
    const installation = Number(sent.installation_id) || undefined;
    const site: Site = { route: `${sent.method} ${sent.url}`, profile: 'app', installation };
    return observe(options, site, async () => request(sent));
  });
  const plain = new Octokit(defaults);
  plain.hook.before('request', setVersion);
  return {
    app,
    send: async ({
      route,
      parameters,
      token,
      scheme = 'token',
      etag,
      callSite,
      profile,
      installationId,
      signal,
    }) =>
      observe(options, { route: callSite, profile, installation: installationId }, async () =>
        plain.request(route, {
          ...parameters,
          headers: { authorization: `${scheme} ${token}`, ...(etag ? { 'if-none-match': etag } : {}) },
          request: { ...defaults.request, signal },
        }),
      ),
  };
}

async function observe<T extends OctokitResponse<unknown>>(
  options: WireOptions,
  site: Site,
  send: () => Promise<T>,
): Promise<T> {
  const counted = countedAgainst(site);
  if (options.limits) await pass(options.limits, counted, options.clock.now);
  const started = performance.now();
  let status = 0;
  try {
    const response = await send();
    status = response.status;
    if (!isSound(response)) {
      throw classifyAnswer({ ...response, callSite: site.route, now: options.clock.now() });
    }
    return response;
  } catch (error) {
    const now = options.clock.now();
    const failure = asGitHubError(error, site.route, now);
    status = failure.status ?? 0;
    if (options.limits) await remember(options.limits, counted, { error: failure, now });
    throw failure;
  } finally {
    const ms = Math.round(performance.now() - started);
    const { route, profile, installation } = site;
    options.log.debug({ callSite: route, profile, status, ms, installation }, 'called GitHub');
    options.onCall?.({ route, profile, status, ms, write: writeKindOf(route) });
  }
}

/** What the App asks as itself has a limit of its own; a token that it mints is for one installation. */
function countedAgainst({ profile, installation = APP_ITSELF }: Site): Counted {
  return profile === 'app' ? [APP_ITSELF, installation] : [installation];
}

/** A web page, and a body that is empty or broken off, arrive as text, or as nothing where an answer belongs. */
function isSound({ status, data, headers }: OctokitResponse<unknown>): boolean {
  if (status === 204) return true;
  // Asked for as text, and named so: a web page in its place is not.
  if (status === 200 && /^application\/vnd\.github(?:\.v3)?\.patch\b/.test(headers['content-type'] ?? '')) {
    return data !== '' && data !== undefined && data !== null;
  }
  return status < 300 && typeof data !== 'string' && data !== undefined && data !== null;
}

function asGitHubError(error: unknown, callSite: string, now: Date): GitHubError {
  if (error instanceof GitHubError) return error;
  const response = responseOf(error);
  return response ? classifyAnswer({ ...response, callSite, now }) : classifySilence(callSite, error);
}

function responseOf(error: unknown): OctokitResponse<unknown> | undefined {
  if (typeof error !== 'object' || error === null || !('response' in error)) return undefined;
  return error.response as OctokitResponse<unknown> | undefined;
}

/**
 * `fetch` with a deadline over the body too, which is read whole here: left to Octokit, a body that breaks off
 * is taken for an empty one, and a failed create for a success.
 */
function boundedFetch(timeoutMs: number): typeof fetch {
  return async (input, init) => {
    const deadline = AbortSignal.timeout(timeoutMs);
    const signal = init?.signal ? AbortSignal.any([init.signal, deadline]) : deadline;
    const response = await globalThis.fetch(input, { ...init, signal });
    const empty = [204, 205, 304].includes(response.status);
    const body = empty ? null : await response.arrayBuffer();
    return new Response(body, {
      status: response.status,
      statusText: response.statusText,
      headers: response.headers,
    });
  };
}

/** Without it GitHub answers with whatever version is its default that day. */
function setVersion(sent: { headers: Record<string, unknown> }): void {
  sent.headers['x-github-api-version'] = '2022-11-28';
}

function octokitLog(log: CallLog) {
  const quiet = (): void => undefined;
  // Octokit's own sentences may quote an answer: they are not repeated.
  const warn = (): void =>
    log.warn({}, 'the GitHub client warned: a deprecated route, or a clock that is off');
  return { debug: quiet, info: quiet, warn, error: quiet };
}
