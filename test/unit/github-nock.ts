import { afterAll, afterEach, beforeAll, beforeEach, expect } from '@jest/globals';
import nock from 'nock';
import type { TokenProfile } from '../../src/github/client.ts';
import { PERMISSIONS } from '../../src/github/tokens.ts';
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

/** No request leaves, each expected one is made, and an unexpected one fails the test even if its error is caught. */
export function guardNetwork(): void {
  const unexpected: string[] = [];
  const note = (request: Request): void => void unexpected.push(`${request.method} ${request.url}`);
  beforeAll(() => {
    nock.disableNetConnect();
    nock.emitter.on('no match', note);
  });
  beforeEach(() => {
    unexpected.length = 0;
  });
  afterEach(() => {
    const pending = nock.pendingMocks();
    nock.cleanAll();
    expect({ unexpected, pending }).toEqual({ unexpected: [], pending: [] });
  });
  afterAll(() => {
    nock.emitter.off('no match', note);
    nock.restore();
  });
}
