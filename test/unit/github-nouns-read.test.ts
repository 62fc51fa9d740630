import { describe, expect, test } from '@jest/globals';
import nock from 'nock';
import { RetryableError } from '../../src/errors.ts';
import { readInstallation } from '../../src/github/installations.ts';
import { readIssue } from '../../src/github/issues.ts';
import { readPermission } from '../../src/github/permissions.ts';
import { readRepository } from '../../src/github/repositories.ts';
import { answering, api, expectMint, guardNetwork, nameOf } from '../harness/github-nock.ts';
import { API, asked, fixture, REPO, refusal, stage } from '../harness/github-stage.ts';

guardNetwork();

const at = '/repos/acme/shop';

describe('permissions', () => {
  const path = `${at}/collaborators/alice/permission`;

  test.each([
    ['admin', 'admin', 'admin'],
    ['write', 'maintain', 'maintain'],
    ['write', 'write', 'write'],
    ['read', 'triage', 'triage'],
    ['read', 'read', 'read'],
    ['none', 'none', 'none'],
    ['write', 'release captain', 'write'],
    ['read', 'release captain', 'read'],
    ['write', '', 'write'],
    ['admin', undefined, 'admin'],
  ])('of %s with the role %s are %s', async (permission, role_name, expected) => {
    const gh = answering(path, [200, { permission, role_name, user: { login: 'alice', id: 501 } }], 'issues');

    expect(await readPermission(gh, REPO, 'alice')).toEqual({ permission: expected, userId: 501 });
  });

  test('are read as recorded', async () => {
    expect(
      await readPermission(answering(path, [200, fixture('permission-maintain')], 'issues'), REPO, 'alice'),
    ).toEqual({
      permission: 'maintain',
      userId: 501,
    });
    expect(
      await readPermission(answering(path, [200, fixture('permission-custom')], 'issues'), REPO, 'alice'),
    ).toEqual({
      permission: 'write',
      userId: 501,
    });
  });

  test('of a stranger are none', async () => {
    const gh = answering(path, [404, refusal('not_found')], 'issues');

    expect(await readPermission(gh, REPO, 'alice')).toEqual({ permission: 'none', userId: undefined });
  });

  test.each([
    [200, { permission: 'owner', role_name: 'chief', user: { id: 1 } }],
    [200, {}],
    [200, '<html></html>'],
    [403, refusal('no_permission')],
    [403, refusal('secondary')],
    [401, refusal('bad_credentials')],
    [500, refusal('server_error')],
  ])('that are unclear (%d %j) are no answer', async (status, body) => {
    expectMint('issues');
    if (status === 401) expectMint('issues');
    api()
      .get(path)
      .times(status === 401 ? 6 : asked(status, nameOf(body)))
      .reply(status, body as nock.Body);
    if (status === 401)
      api()
        .get(path)
        .reply(401, body as nock.Body);

    await expect(readPermission(stage().gh, REPO, 'alice')).rejects.toBeInstanceOf(RetryableError);
  });

  test('are not none when it is the repository’s token that can’t be had', async () => {
    nock(API).post('/app/installations/7/access_tokens').times(asked(404)).reply(404, refusal('not_found'));

    await expect(readPermission(stage().gh, REPO, 'alice')).rejects.toBeInstanceOf(RetryableError);
  });

  test('are asked for the login as it is, whatever is in it', async () => {
    const gh = answering(
      `${at}/collaborators/dependabot%5Bbot%5D%2F..%2Fx/permission`,
      [404, refusal('not_found')],
      'issues',
    );

    expect((await readPermission(gh, REPO, 'dependabot[bot]/../x')).permission).toBe('none');
  });
});

describe('repositories', () => {
  test('are read', async () => {
    expect(await readRepository(answering(at, [200, fixture('repository')]), REPO)).toEqual({
      kind: 'found',
      id: 42,
      owner: 'acme',
      name: 'shop',
      defaultBranch: 'trunk',
      archived: false,
      disabled: false,
      private: true,
      fork: false,
      hasIssues: true,
      deletesBranchOnMerge: true,
    });
  });

  test('that are not there are missing', async () => {
    expect(await readRepository(answering(at, [404, refusal('not_found')]), REPO)).toEqual({
      kind: 'missing',
    });
  });

  test('whose name another one has taken are missing', async () => {
    const gh = answering(at, [200, { ...fixture('repository'), id: 4242 }]);

    expect(await readRepository(gh, REPO)).toEqual({ kind: 'missing' });
  });

  test('are followed to their new name', async () => {
    expectMint('reader');
    api()
      .get(at)
      .reply(301, {}, { location: `${API}/repositories/42` });
    api()
      .get('/repositories/42')
      .reply(200, { ...fixture('repository'), name: 'store' });

    expect(await readRepository(stage().gh, REPO)).toMatchObject({ kind: 'found', name: 'store' });
  });
});

describe('issues', () => {
  const path = `${at}/issues/5`;

  test('are read', async () => {
    expect(await readIssue(answering(path, [200, fixture('issue')], 'issues'), REPO, 5)).toEqual({
      kind: 'found',
      id: 3001,
      number: 5,
      url: 'https://github.com/acme/shop/issues/5',
      state: 'closed',
      stateReason: 'completed',
      title: 'Add a thing',
      body: '',
      labels: ['spec', 'bug'],
      type: 'Bug',
      authorId: 501,
      locked: false,
      isPullRequest: false,
    });
  });

  test.each([
    [404, 'not_found'],
    [410, 'gone'],
  ])('answered with %d are missing', async (status, name) => {
    expect(await readIssue(answering(path, [status, refusal(name)], 'issues'), REPO, 5)).toEqual({
      kind: 'missing',
    });
  });

  test('that were transferred to another repository have moved', async () => {
    expectMint('issues');
    api()
      .get(path)
      .reply(301, {}, { location: `${API}/repositories/99/issues/1` });

    expect(await readIssue(stage().gh, REPO, 5)).toEqual({ kind: 'moved' });
  });
});

describe('installations', () => {
  const asApp = () => nock(API, { reqheaders: { authorization: /^bearer / } }).get('/app/installations/7');

  test('are read as the App', async () => {
    asApp().reply(200, fixture('installation'));

    expect(await readInstallation(stage().gh, 7)).toEqual({
      kind: 'found',
      id: 7,
      accountId: 77,
      accountLogin: 'acme',
      accountType: 'Organization',
      permissions: { metadata: 'read', contents: 'write', issues: 'write' },
      events: ['issues'],
      repositorySelection: 'selected',
      suspendedAt: new Date('2026-02-01T00:00:00Z'),
    });
  });

  test('that are gone are missing', async () => {
    asApp().times(asked(404)).reply(404, refusal('not_found'));

    expect(await readInstallation(stage().gh, 7)).toEqual({ kind: 'missing' });
  });

  test('are asked once more after a hiccup', async () => {
    asApp().reply(502, '<html>');
    asApp().reply(200, { ...fixture('installation'), suspended_at: null });

    expect(await readInstallation(stage().gh, 7)).toMatchObject({ suspendedAt: undefined });
  });
});
