import { describe, expect, test } from '@jest/globals';
import nock from 'nock';
import { FatalError, RetryableError } from '../../src/errors.ts';
import { GitHubError } from '../../src/github/errors.ts';
import { COMMENTS, comment, readTrunk, TRUNK } from '../harness/github-asks.ts';
import { api, expectMint, guardNetwork } from '../harness/github-nock.ts';
import { A, API, failureOf, fixture, REPO, refusal, stage } from '../harness/github-stage.ts';

guardNetwork();

describe('a question', () => {
  test.each([502, 503, 504])('is asked once more after a %d', async (status) => {
    expectMint('reader');
    api().get(TRUNK).reply(status, '<html>');
    api().get(TRUNK).reply(200, fixture('ref'));

    const { data } = await readTrunk(stage().gh);

    expect(data.object.sha).toBe(A);
  });

  test('is not asked again at once after a 500', async () => {
    expectMint('reader');
    api().get(TRUNK).reply(500, refusal('server_error'));

    expect(await failureOf(readTrunk(stage().gh))).toMatchObject({ kind: 'unavailable', status: 500 });
  });

  test('follows the repository to its new name', async () => {
    expectMint('reader');
    const location = `${API}/repositories/42/git/ref/heads/trunk`;
    api().get(TRUNK).reply(301, { message: 'Moved Permanently', url: location }, { location });
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
    api().get(TRUNK).reply(301, {}, { location });

    expect(await failureOf(readTrunk(stage().gh))).toMatchObject({ kind: 'moved', status: 301 });
  });

  test('follows one redirect and no second', async () => {
    expectMint('reader');
    const location = `${API}/repositories/42`;
    api().get(TRUNK).reply(301, {}, { location });
    api().get('/repositories/42').reply(302, {}, { location });

    expect(await failureOf(readTrunk(stage().gh))).toMatchObject({ kind: 'moved', status: 302 });
  });
});

describe('a write', () => {
  test.each([500, 502, 503, 504])(
    'is sent once when GitHub answers %d, and may have happened',
    async (status) => {
      expectMint('control');
      api().post(COMMENTS).reply(status, refusal('server_error'));
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
        .post(COMMENTS)
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
        .post(COMMENTS)
        .reply(307, {}, { location: `${home}/issues/5/comments` });

      expect(await failureOf(comment(stage().gh))).toMatchObject({ kind: 'moved', ambiguous: false });
    },
  );

  test('takes from the budget what people will see, and reactions take from their own share', async () => {
    expectMint('control');
    api().post(COMMENTS).reply(201, fixture('comment'));
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
    api().post(COMMENTS).reply(422, { message: 'a secret of the body' });
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
