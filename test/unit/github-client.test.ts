import { describe, expect, test } from '@jest/globals';
import nock from 'nock';
import { FatalError, RetryableError } from '../../src/errors.ts';
import type { GitHub } from '../../src/github/client.ts';
import { GitHubError } from '../../src/github/errors.ts';
import { api, expectMint, guardNetwork } from './github-nock.ts';
import { A, API, failureOf, fixture, REPO, refusal, stage } from './github-setup.ts';

guardNetwork();

const readTrunk = (gh: GitHub) =>
  gh.call({ repo: REPO, profile: 'reader' }, 'GET /repos/{owner}/{repo}/git/ref/{ref}', {
    ref: 'heads/trunk',
  });
const comment = (gh: GitHub) =>
  gh.call({ repo: REPO, profile: 'control' }, 'POST /repos/{owner}/{repo}/issues/{issue_number}/comments', {
    issue_number: 5,
    body: 'hello',
  });
const trunk = '/repos/acme/shop/git/ref/heads%2Ftrunk';
const comments = '/repos/acme/shop/issues/5/comments';

describe('tokens', () => {
  test('are narrowed to one repository and the profile’s permissions, and serve many calls', async () => {
    const mint = expectMint('reader');
    api().get(trunk).times(2).reply(200, fixture('ref'));
    const { gh, calls } = stage();

    await readTrunk(gh);
    await readTrunk(gh);

    expect(mint.isDone()).toBe(true);
    expect(calls.map(({ route, profile, status }) => ({ route, profile, status }))).toEqual([
      { route: 'POST /app/installations/{installation_id}/access_tokens', profile: 'app', status: 201 },
      { route: 'GET /repos/{owner}/{repo}/git/ref/{ref}', profile: 'reader', status: 200 },
      { route: 'GET /repos/{owner}/{repo}/git/ref/{ref}', profile: 'reader', status: 200 },
    ]);
  });

  test('are minted once for calls that start together', async () => {
    expectMint('reader');
    api().get(trunk).times(3).reply(200, fixture('ref'));
    const { gh } = stage();

    await Promise.all([readTrunk(gh), readTrunk(gh), readTrunk(gh)]);
  });

  test('of the two profiles are different ones', async () => {
    expectMint('reader', { token: 'ghs_reader' });
    expectMint('control', { token: 'ghs_control' });
    api('ghs_reader').get(trunk).reply(200, fixture('ref'));
    api('ghs_control').post(comments, { body: 'hello' }).reply(201, fixture('comment'));
    const { gh } = stage();

    await readTrunk(gh);
    await comment(gh);
  });

  test('are renewed when less than five minutes are left', async () => {
    const soon = new Date(Date.now() + 4 * 60_000).toISOString();
    expectMint('reader', { token: 'ghs_old', expires_at: soon });
    api('ghs_old').get(trunk).reply(200, fixture('ref'));
    const { gh } = stage();
    // The first call sees at once that its token ends soon; GitHub has no better one yet.
    expectMint('reader', { token: 'ghs_old', expires_at: soon });
    await readTrunk(gh);

    expectMint('reader', { token: 'ghs_new' });
    api('ghs_new').get(trunk).times(2).reply(200, fixture('ref'));
    await readTrunk(gh);
    await readTrunk(gh);
  });

  test('that are fresh and refused are tried again for five seconds: it waits for a fresh token', async () => {
    expectMint('control');
    api().post(comments).times(2).reply(401, refusal('bad_credentials'));
    api().post(comments).reply(201, fixture('comment'));
    const { gh, slept } = stage();

    const { status } = await comment(gh);

    expect(status).toBe(201);
    expect(slept).toEqual([250, 500]);
  });

  test('that stay refused are minted anew once, and then it is an error', async () => {
    expectMint('reader', { token: 'ghs_first' });
    expectMint('reader', { token: 'ghs_second' });
    api('ghs_first').get(trunk).times(6).reply(401, refusal('bad_credentials'));
    api('ghs_second').get(trunk).reply(401, refusal('bad_credentials'));
    const { gh, slept } = stage();

    const error = await failureOf(readTrunk(gh));

    expect(error).toMatchObject({ kind: 'unauthorized', status: 401, ambiguous: false });
    expect(slept.reduce((sum, ms) => sum + ms, 0)).toBe(5000);
  });

  test('that are old and refused are minted anew without waiting', async () => {
    const start = Date.now();
    let later = 0;
    const { gh, slept } = stage({
      clock: { now: () => new Date(start + later), sleep: async (ms) => void slept.push(ms) },
    });
    expectMint('reader', { token: 'ghs_first' });
    api('ghs_first').get(trunk).reply(200, fixture('ref'));
    await readTrunk(gh);

    later = 20_000;
    expectMint('reader', { token: 'ghs_second' });
    api('ghs_first').get(trunk).reply(401, refusal('bad_credentials'));
    api('ghs_second').get(trunk).reply(200, fixture('ref'));
    await readTrunk(gh);

    expect(slept).toEqual([]);
  });

  test.each([
    ['permissions_not_granted', 422, 'forbidden'],
    ['repository_not_reachable', 422, 'not_found'],
    ['suspended', 403, 'suspended'],
    ['not_found', 404, 'not_found'],
    ['server_error', 500, 'unavailable'],
  ])('that can’t be had (%s) are never taken for an answer to the call', async (name, status, kind) => {
    nock(API)
      .post('/app/installations/7/access_tokens')
      .times(kind === 'not_found' ? 3 : 1)
      .reply(status, refusal(name));
    const { gh } = stage();

    const error = await failureOf(comment(gh));

    expect(error).toMatchObject({
      kind,
      ambiguous: false,
      callSite: 'POST /app/installations/{installation_id}/access_tokens',
    });
  });

  test('for git are for one repository’s contents, shared with nobody, and revocable', async () => {
    for (const token of ['ghs_one', 'ghs_two']) {
      nock(API)
        .post('/app/installations/7/access_tokens', {
          repository_ids: [42],
          permissions: { contents: 'write' },
        })
        .reply(201, { ...(fixture('access-token') as object), token });
      api(token).delete('/installation/token').reply(204);
    }
    const { gh, calls } = stage();

    const [one, two] = await Promise.all([gh.mintGitToken(REPO, 'write'), gh.mintGitToken(REPO, 'write')]);
    expect([one.token, two.token].sort()).toEqual(['ghs_one', 'ghs_two']);
    expect(one.expiresAt).toEqual(new Date('2099-01-01T00:00:00Z'));
    await one.revoke();
    await two.revoke();
    api('ghs_one').delete('/installation/token').reply(401, refusal('bad_credentials'));
    await one.revoke();

    expect(calls.map((call) => call.profile)).toEqual(['app', 'app', 'git', 'git', 'git']);
  });
});

describe('a question', () => {
  test.each([502, 503, 504])('is asked once more after a %d', async (status) => {
    expectMint('reader');
    api().get(trunk).reply(status, '<html>');
    api().get(trunk).reply(200, fixture('ref'));

    const { data } = await readTrunk(stage().gh);

    expect(data.object.sha).toBe(A);
  });

  test('is not asked again at once after a 500', async () => {
    expectMint('reader');
    api().get(trunk).reply(500, refusal('server_error'));

    expect(await failureOf(readTrunk(stage().gh))).toMatchObject({ kind: 'unavailable', status: 500 });
  });

  test('follows the repository to its new name', async () => {
    expectMint('reader');
    const location = `${API}/repositories/42/git/ref/heads/trunk`;
    api().get(trunk).reply(301, { message: 'Moved Permanently', url: location }, { location });
    api().get('/repositories/42/git/ref/heads/trunk').reply(200, fixture('ref'));

    expect((await readTrunk(stage().gh)).data.object.sha).toBe(A);
  });

  test.each([
    `${API}/repositories/421/git/ref/heads/trunk`,
    `${API}/repositories/43/git/ref/heads/trunk`,
    'https://elsewhere.example/repositories/42',
    'http://api.github.com/repositories/42',
  ])('does not take its token to %s', async (location) => {
    expectMint('reader');
    api().get(trunk).reply(301, {}, { location });

    expect(await failureOf(readTrunk(stage().gh))).toMatchObject({ kind: 'moved', status: 301 });
  });

  test('follows one redirect and no second', async () => {
    expectMint('reader');
    const location = `${API}/repositories/42`;
    api().get(trunk).reply(301, {}, { location });
    api().get('/repositories/42').reply(302, {}, { location });

    expect(await failureOf(readTrunk(stage().gh))).toMatchObject({ kind: 'moved', status: 302 });
  });
});

describe('a write', () => {
  test.each([500, 502, 503, 504])(
    'is sent once when GitHub answers %d, and may have happened',
    async (status) => {
      expectMint('control');
      api().post(comments).reply(status, refusal('server_error'));
      const { gh, calls } = stage();

      expect(await failureOf(comment(gh))).toMatchObject({ kind: 'unavailable', status, ambiguous: true });
      expect(calls).toHaveLength(2);
    },
  );

  test.each([301, 307, 308])(
    'follows a %d to the same repository, with its method and body',
    async (status) => {
      expectMint('control');
      const moved = '/repositories/42/issues/5/comments';
      api()
        .post(comments)
        .reply(status, {}, { location: `${API}${moved}` });
      api().post(moved, { body: 'hello' }).reply(201, fixture('comment'));

      await comment(stage().gh);
    },
  );

  test.each(['https://elsewhere.example/repositories/42', `${API}/repositories/43`])(
    'is not sent to %s',
    async (home) => {
      expectMint('control');
      api()
        .post(comments)
        .reply(307, {}, { location: `${home}/issues/5/comments` });

      expect(await failureOf(comment(stage().gh))).toMatchObject({ kind: 'moved', ambiguous: false });
    },
  );

  test('takes from the budget what people will see, and reactions take from their own share', async () => {
    expectMint('control');
    api().post(comments).reply(201, fixture('comment'));
    api().post('/repos/acme/shop/issues/5/reactions').reply(201, fixture('reaction'));
    api().post('/repos/acme/shop/git/refs').reply(201, fixture('ref'));
    api().delete('/repos/acme/shop/issues/5/labels/spec').reply(200, []);
    const { gh, spent, calls } = stage();
    const target = { repo: REPO, profile: 'control' } as const;

    await comment(gh);
    await gh.call(target, 'POST /repos/{owner}/{repo}/issues/{issue_number}/reactions', {
      issue_number: 5,
      content: 'eyes',
    });
    await gh.call(target, 'POST /repos/{owner}/{repo}/git/refs', { ref: 'refs/heads/x', sha: A });
    await gh.call(target, 'DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels/{name}', {
      issue_number: 5,
      name: 'spec',
    });

    expect(spent).toEqual(['content', 'reaction']);
    expect(calls.map((call) => call.write)).toEqual([undefined, 'content', 'reaction', undefined, undefined]);
  });

  test('is not sent when the budget is used up', async () => {
    const retryAt = new Date(Date.now() + 9_000);
    const { gh, refusals, calls } = stage();
    refusals.push(retryAt);

    const error = await comment(gh).catch((thrown: unknown) => thrown);

    expect(error).toBeInstanceOf(RetryableError);
    expect(error).not.toBeInstanceOf(GitHubError);
    expect(error).toMatchObject({ retryAt });
    expect(calls).toEqual([]);
  });
});

describe('the client', () => {
  test('refuses a private key that is none when it is built, without quoting it', () => {
    expect(() => stage({ privateKey: 'my secret' })).toThrow(
      new FatalError('the private key of the App is no RSA key in PEM form'),
    );
  });

  test('signs as the App for less than ten minutes, from a minute ago', async () => {
    let sent = '';
    const keep = (value: string | null): boolean => {
      sent = value ?? '';
      return sent.startsWith('bearer ');
    };
    nock(API, { reqheaders: { authorization: keep } })
      .get('/app')
      .reply(200, { id: 1234 });
    await stage().gh.callAsApp('GET /app', {});

    const [head, claims] = sent.slice(7).split('.').slice(0, 2);
    expect(JSON.parse(Buffer.from(head!, 'base64url').toString())).toEqual({ alg: 'RS256', typ: 'JWT' });
    const { iat, exp, iss } = JSON.parse(Buffer.from(claims!, 'base64url').toString());
    expect(iss).toBe('1234');
    expect(exp - iat).toBe(600);
    expect(Math.abs(Date.now() / 1000 - 60 - iat)).toBeLessThan(5);
  });

  test('names GitHub Enterprise’s addresses by host and protocol', async () => {
    nock('http://ghe.example:8080').get('/api/v3/app').reply(200, { id: 1234, slug: 'specwright' });
    const { gh } = stage({ host: 'ghe.example:8080', protocol: 'http' });

    await gh.callAsApp('GET /app', {});

    expect(gh.webUrl).toBe('http://ghe.example:8080');
    expect(gh.gitUrl(REPO)).toBe('http://ghe.example:8080/acme/shop.git');
    expect(stage().gh.gitUrl(REPO)).toBe('https://github.com/acme/shop.git');
  });

  test('logs one line a request, without token, body or filled-in address', async () => {
    expectMint('control');
    api().post(comments).reply(422, { message: 'a secret of the body' });
    const { gh, logged } = stage();

    const error = await failureOf(comment(gh));

    const printed = JSON.stringify([logged, error, error.message, Object.entries(error), error.cause]);
    expect(logged).toEqual([
      [
        {
          callSite: 'POST /app/installations/{installation_id}/access_tokens',
          profile: 'app',
          status: 201,
          ms: expect.any(Number),
          installation: 7,
        },
        'called GitHub',
      ],
      [
        {
          callSite: 'POST /repos/{owner}/{repo}/issues/{issue_number}/comments',
          profile: 'control',
          status: 422,
          ms: expect.any(Number),
          installation: 7,
        },
        'called GitHub',
      ],
    ]);
    for (const secret of ['ghs_fixture', 'hello', 'a secret of the body', 'acme']) {
      expect(printed).not.toContain(secret);
    }
    expect(error.detail).toBe('a secret of the body');
  });
});
