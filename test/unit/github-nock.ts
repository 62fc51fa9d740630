import { afterAll, afterEach, beforeAll, beforeEach, expect } from '@jest/globals';
import nock from 'nock';
import type { TokenProfile } from '../../src/github/client.ts';
import { PERMISSIONS } from '../../src/github/tokens.ts';
import { readGithubDescription } from '../harness/openapi.ts';
import { API, fixture } from './github-setup.ts';

/** Expects one mint of a token of this profile, narrowed to the repository. */
export function expectMint(profile: TokenProfile, answer: Record<string, unknown> = {}): nock.Scope {
  return nock(API, { reqheaders: { authorization: /^bearer [\w-]+\.[\w-]+\.[\w-]+$/ } })
    .post('/app/installations/7/access_tokens', {
      repository_ids: [42],
      permissions: PERMISSIONS[profile],
    })
    .reply(201, { ...(fixture('access-token') as object), ...answer });
}

/** Expects requests that carry the token of the fixture. */
export function api(token = 'ghs_fixture'): nock.Scope {
  return nock(API, {
    reqheaders: {
      authorization: `token ${token}`,
      'user-agent': /^specwright-test /,
      'x-github-api-version': '2022-11-28',
      accept: 'application/vnd.github.v3+json',
    },
  });
}

const github = readGithubDescription();

/** Notes what GitHub's own description does not know in the requests that are made; answers the way back. */
function watchRequests(found: string[]): () => void {
  const { fetch } = globalThis;
  globalThis.fetch = (input, init) => {
    const { pathname, search } = new URL(input instanceof Request ? input.url : input);
    const path = pathname.replace(/^\/api\/v3/, '');
    const route = github.routeOf(init?.method ?? 'GET', path) ?? `${init?.method} ${path}`;
    const body: unknown = typeof init?.body === 'string' ? JSON.parse(init.body) : {};
    const problems = github.inRequest({ route, path: path + search, body });
    found.push(...problems.map((problem) => `${route}: ${problem}`));
    return fetch(input, init);
  };
  return () => {
    globalThis.fetch = fetch;
  };
}

/**
 * No request leaves, each expected one is made, an unexpected one fails the test even if its error is caught, and so
 * does one with a path, parameter or field that GitHub does not document.
 */
export function guardNetwork(): void {
  const unexpected: string[] = [];
  const undocumented: string[] = [];
  let restore = () => {};
  const note = (request: Request): void => void unexpected.push(`${request.method} ${request.url}`);
  beforeAll(() => {
    restore = watchRequests(undocumented);
    nock.disableNetConnect();
    nock.emitter.on('no match', note);
  });
  beforeEach(() => {
    unexpected.length = 0;
    undocumented.length = 0;
  });
  afterEach(() => {
    const pending = nock.pendingMocks();
    nock.cleanAll();
    expect({ unexpected, undocumented, pending }).toEqual({ unexpected: [], undocumented: [], pending: [] });
  });
  afterAll(() => {
    restore();
    nock.emitter.off('no match', note);
    nock.restore();
  });
}
