import { describe, expect, test } from '@jest/globals';
import nock from 'nock';
import { RetryableError } from '../../src/errors.ts';
import { readBranch, readBranchRules } from '../../src/github/branches.ts';
import type { TokenProfile } from '../../src/github/client.ts';
import { compareCommits } from '../../src/github/commits.ts';
import { readFile } from '../../src/github/contents.ts';
import { readInstallation } from '../../src/github/installations.ts';
import { readIssue } from '../../src/github/issues.ts';
import { readPermission } from '../../src/github/permissions.ts';
import { readRef } from '../../src/github/refs.ts';
import { readRepository } from '../../src/github/repositories.ts';
import { readBlob, readTree } from '../../src/github/trees.ts';
import { api, expectMint, guardNetwork } from './github-nock.ts';
import { A, API, asked, B, C, failureOf, fixture, REPO, refusal, stage } from './github-setup.ts';

guardNetwork();

const BRANCH = 'spec/1a2b3c4d-x';
const at = '/repos/acme/shop';
const encoded = encodeURIComponent(BRANCH);

/** A client whose next question about the repository gets this answer. */
function answering(path: string, status: number, body: nock.Body, profile: TokenProfile = 'reader') {
  expectMint(profile);
  const ordinary = /\/(contents|rules)\//.test(path);
  api()
    .get(path)
    .times(ordinary ? 1 : asked(status, nameOf(body)))
    .reply(status, body);
  return stage().gh;
}

function nameOf(body: unknown): string | undefined {
  const { message = '' } = body as { message?: string };
  return /not accessible/.test(message) ? 'no_permission' : undefined;
}

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
    const gh = answering(path, 200, { permission, role_name, user: { login: 'alice', id: 501 } }, 'issues');

    expect(await readPermission(gh, REPO, 'alice')).toEqual({ permission: expected, userId: 501 });
  });

  test('are read as recorded', async () => {
    expect(
      await readPermission(answering(path, 200, fixture('permission-maintain'), 'issues'), REPO, 'alice'),
    ).toEqual({
      permission: 'maintain',
      userId: 501,
    });
    expect(
      await readPermission(answering(path, 200, fixture('permission-custom'), 'issues'), REPO, 'alice'),
    ).toEqual({
      permission: 'write',
      userId: 501,
    });
  });

  test('of a stranger are none', async () => {
    const gh = answering(path, 404, refusal('not_found'), 'issues');

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
      404,
      refusal('not_found'),
      'issues',
    );

    expect((await readPermission(gh, REPO, 'dependabot[bot]/../x')).permission).toBe('none');
  });
});

describe('repositories', () => {
  test('are read', async () => {
    expect(await readRepository(answering(at, 200, fixture('repository')), REPO)).toEqual({
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
    expect(await readRepository(answering(at, 404, refusal('not_found')), REPO)).toEqual({ kind: 'missing' });
  });

  test('whose name another one has taken are missing', async () => {
    const gh = answering(at, 200, { ...fixture('repository'), id: 4242 });

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

describe('refs', () => {
  const path = `${at}/git/ref/heads%2Ftrunk`;

  test('are read', async () => {
    const gh = answering(path, 200, fixture('ref'));

    expect(await readRef(gh, REPO, 'heads/trunk')).toEqual({ kind: 'found', sha: A });
  });

  test.each([
    [404, 'not_found', 'missing'],
    [409, 'empty', 'empty'],
  ])('answered with %d are %s', async (status, name, kind) => {
    const gh = answering(path, status, refusal(name));

    expect(await readRef(gh, REPO, 'heads/trunk')).toEqual({ kind });
  });
});

describe('branches', () => {
  const path = `${at}/branches/${encoded}`;

  test('are read', async () => {
    const gh = answering(path, 200, fixture('branch'));

    expect(await readBranch(gh, REPO, BRANCH)).toEqual({ kind: 'found', sha: A, protected: true });
  });

  test('that are not there are missing', async () => {
    const gh = answering(path, 404, { message: 'Branch not found' });

    expect(await readBranch(gh, REPO, BRANCH)).toEqual({ kind: 'missing' });
  });

  test('that were renamed are missing under their old name', async () => {
    const gh = answering(path, 200, { ...fixture('branch'), name: 'other' });

    expect(await readBranch(gh, REPO, BRANCH)).toEqual({ kind: 'missing' });
  });
});

describe('branch rules', () => {
  const path = `${at}/rules/branches/${encoded}?per_page=100&page=1`;

  test('are read with their parameters', async () => {
    const gh = answering(path, 200, fixture('branch-rules'));

    expect(await readBranchRules(gh, REPO, BRANCH)).toEqual([
      { type: 'creation', parameters: {} },
      {
        type: 'branch_name_pattern',
        parameters: { operator: 'starts_with', pattern: 'team/', negate: false },
      },
    ]);
  });

  test.each([
    [404, 'not_found'],
    [403, 'upgrade'],
  ])('are none where GitHub has none (%d %s)', async (status, name) => {
    expect(await readBranchRules(answering(path, status, refusal(name)), REPO, BRANCH)).toEqual([]);
  });

  test('are not none when the App may not read them', async () => {
    const gh = answering(path, 403, refusal('no_permission'));

    expect((await failureOf(readBranchRules(gh, REPO, BRANCH))).kind).toBe('forbidden');
  });
});

describe('trees', () => {
  test('are read with modes and sizes', async () => {
    const gh = answering(`${at}/git/trees/${B}?recursive=1`, 200, fixture('tree'));

    expect(await readTree(gh, REPO, { sha: B, recursive: true })).toEqual({
      sha: B,
      truncated: false,
      entries: [
        { path: 'src', mode: '040000', type: 'tree', sha: A, size: undefined },
        { path: 'src/index.ts', mode: '100644', type: 'blob', sha: C, size: 12 },
        { path: 'link', mode: '120000', type: 'blob', sha: C, size: 5 },
        { path: 'vendor', mode: '160000', type: 'commit', sha: C, size: undefined },
      ],
    });
  });

  test('of one level are asked without the parameter, which counts whatever its value', async () => {
    const gh = answering(`${at}/git/trees/${B}`, 200, { ...fixture('tree'), truncated: true });

    expect((await readTree(gh, REPO, { sha: B })).truncated).toBe(true);
  });

  test('have blobs that are read as bytes', async () => {
    const gh = answering(`${at}/git/blobs/${C}`, 200, fixture('blob'));

    expect(await readBlob(gh, REPO, C)).toEqual(Buffer.from('hällo\n'));
  });
});

describe('commits', () => {
  const path = `${at}/compare/trunk...${encoded}?per_page=100&page=1`;

  test('are compared', async () => {
    const gh = answering(path, 200, { ...fixture('compare'), commits: [{ sha: B }, { sha: C }] });

    expect(await compareCommits(gh, REPO, { base: 'trunk', head: BRANCH })).toEqual({
      kind: 'found',
      status: 'ahead',
      aheadBy: 3,
      behindBy: 0,
      mergeBaseSha: A,
      commits: [B, C],
      complete: true,
    });
  });

  test('that are not there are missing', async () => {
    const gh = answering(path, 404, refusal('not_found'));

    expect(await compareCommits(gh, REPO, { base: 'trunk', head: BRANCH })).toEqual({ kind: 'missing' });
  });
});

describe('files', () => {
  const path = `${at}/contents/.github%2Fspecwright.yml`;

  test('are read as text from the default branch', async () => {
    const gh = answering(path, 200, fixture('file'));

    expect(await readFile(gh, REPO, { path: '.github/specwright.yml' })).toEqual({
      kind: 'found',
      text: 'hällo\n',
    });
  });

  test('over 1 MB are read as blobs, at the ref that was asked for', async () => {
    const gh = answering(`${at}/contents/big.txt?ref=trunk`, 200, fixture('file-large'));
    api().get(`${at}/git/blobs/${C}`).reply(200, fixture('blob'));

    expect(await readFile(gh, REPO, { path: 'big.txt', ref: 'trunk' })).toEqual({
      kind: 'found',
      text: 'hällo\n',
    });
  });

  test.each([
    [404, refusal('not_found')],
    [200, [fixture('file')]],
    [200, { ...fixture('file'), type: 'symlink', target: '/etc/passwd' }],
    [200, { ...fixture('file'), type: 'submodule' }],
  ])('that are none are missing (%d)', async (status, body) => {
    const gh = answering(path, status, body as nock.Body);

    expect(await readFile(gh, REPO, { path: '.github/specwright.yml' })).toEqual({ kind: 'missing' });
  });
});

describe('issues', () => {
  const path = `${at}/issues/5`;

  test('are read', async () => {
    expect(await readIssue(answering(path, 200, fixture('issue'), 'issues'), REPO, 5)).toEqual({
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
    expect(await readIssue(answering(path, status, refusal(name), 'issues'), REPO, 5)).toEqual({
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
