import { afterAll, afterEach, beforeAll, beforeEach, expect } from '@jest/globals';
import nock from 'nock';
import type { GitHub, TokenProfile } from '../../src/github/client.ts';
import { PERMISSIONS } from '../../src/github/tokens.ts';
import { watchFetch } from './documented-fetch.ts';
import { API, asked, fixture, stage } from './github-stage.ts';

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

/** A client whose next question about the repository gets this answer. */
export function answering(
  path: string,
  [status, body]: readonly [number, nock.Body],
  profile: TokenProfile = 'reader',
): GitHub {
  expectMint(profile);
  const ordinary = /\/(contents|rules)\//.test(path);
  api()
    .get(path)
    .times(ordinary ? 1 : asked(status, nameOf(body)))
    .reply(status, body);
  return stage().gh;
}

/** The refusal that a fresh token is believed to pass, by its sentence. */
export function nameOf(body: unknown): string | undefined {
  const { message = '' } = body as { message?: string };
  return /not accessible/.test(message) ? 'no_permission' : undefined;
}

/** A client with the token of its writes, and where its requests are expected. */
export function writing(profile: TokenProfile = 'control'): { gh: GitHub; github: nock.Scope } {
  expectMint(profile);
  return { gh: stage().gh, github: api() };
}

/**
 * No request leaves, each expected one is made, an unexpected one fails the test even if its error is caught, and so
 * does a request or a canned answer with anything that GitHub does not document.
 */
export function guardNetwork(): void {
  const unexpected: string[] = [];
  const undocumented: string[] = [];
  let restore = () => {};
  const note = (request: Request): void => void unexpected.push(`${request.method} ${request.url}`);
  beforeAll(() => {
    restore = watchFetch(undocumented);
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
