import { describe, expect, test } from '@jest/globals';
import nock from 'nock';
import { COMMENTS, comment, readTrunk, TRUNK } from '../harness/github-asks.ts';
import { api, expectMint, guardNetwork } from '../harness/github-nock.ts';
import { API, failureOf, fixture, REPO, refusal, stage } from '../harness/github-stage.ts';

guardNetwork();

describe('tokens', () => {
  test('are narrowed to one repository and the profile’s permissions, and serve many calls', async () => {
    const mint = expectMint('reader');
    api().get(TRUNK).times(2).reply(200, fixture('ref'));
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
    api().get(TRUNK).times(3).reply(200, fixture('ref'));
    const { gh } = stage();

    await Promise.all([readTrunk(gh), readTrunk(gh), readTrunk(gh)]);
  });

  test('of the two profiles are different ones', async () => {
    expectMint('reader', { token: 'ghs_reader' });
    expectMint('control', { token: 'ghs_control' });
    api('ghs_reader').get(TRUNK).reply(200, fixture('ref'));
    api('ghs_control').post(COMMENTS, { body: 'hello' }).reply(201, fixture('comment'));
    const { gh } = stage();

    await readTrunk(gh);
    await comment(gh);
  });

  test('are renewed when less than five minutes are left', async () => {
    const soon = new Date(Date.now() + 4 * 60_000).toISOString();
    expectMint('reader', { token: 'ghs_old', expires_at: soon });
    api('ghs_old').get(TRUNK).reply(200, fixture('ref'));
    const { gh } = stage();
    // The first call sees at once that its token ends soon; GitHub has no better one yet.
    expectMint('reader', { token: 'ghs_old', expires_at: soon });
    await readTrunk(gh);

    expectMint('reader', { token: 'ghs_new' });
    api('ghs_new').get(TRUNK).times(2).reply(200, fixture('ref'));
    await readTrunk(gh);
    await readTrunk(gh);
  });

  test('that are fresh and refused are tried again for five seconds: it waits for a fresh token', async () => {
    expectMint('control');
    api().post(COMMENTS).times(2).reply(401, refusal('bad_credentials'));
    api().post(COMMENTS).reply(201, fixture('comment'));
    const { gh, slept } = stage();

    const { status } = await comment(gh);

    expect(status).toBe(201);
    expect(slept).toEqual([250, 500]);
  });

  test('that stay refused are minted anew once, and then it is an error', async () => {
    expectMint('reader', { token: 'ghs_first' });
    expectMint('reader', { token: 'ghs_second' });
    api('ghs_first').get(TRUNK).times(6).reply(401, refusal('bad_credentials'));
    api('ghs_second').get(TRUNK).reply(401, refusal('bad_credentials'));
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
    api('ghs_first').get(TRUNK).reply(200, fixture('ref'));
    await readTrunk(gh);

    later = 20_000;
    expectMint('reader', { token: 'ghs_second' });
    api('ghs_first').get(TRUNK).reply(401, refusal('bad_credentials'));
    api('ghs_second').get(TRUNK).reply(200, fixture('ref'));
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
      const workflows = token === 'ghs_two' ? { workflows: 'write' } : {};
      nock(API)
        .post('/app/installations/7/access_tokens', {
          repository_ids: [42],
          permissions: { contents: 'write', ...workflows },
        })
        .reply(201, { ...(fixture('access-token') as object), token });
      api(token).delete('/installation/token').reply(204);
    }
    const { gh, calls, slept } = stage();

    const [one, two] = await Promise.all([
      gh.mintGitToken(REPO, 'write'),
      gh.mintGitToken(REPO, 'workflows'),
    ]);
    expect([one.token, two.token].sort()).toEqual(['ghs_one', 'ghs_two']);
    expect(one.expiresAt).toEqual(new Date('2099-01-01T00:00:00Z'));
    await gh.revokeGitToken(7, one.token);
    await gh.revokeGitToken(7, two.token);
    expect(calls.map((call) => call.profile)).toEqual(['app', 'app', 'git', 'git']);
    expect(slept).toEqual([]);

    // One that is worthless already: it could be too fresh to work yet, so it is believed the third time.
    api('ghs_one').delete('/installation/token').times(3).reply(401, refusal('bad_credentials'));
    await gh.revokeGitToken(7, one.token);
    expect(slept).toEqual([250, 1000]);
  });
});
