import { describe, expect, test } from '@jest/globals';
import nock from 'nock';
import { readBranch, readBranchRules } from '../../src/github/branches.ts';
import { compareCommits, createCommit, readSeriesText } from '../../src/github/commits.ts';
import { readFile } from '../../src/github/contents.ts';
import { readRef } from '../../src/github/refs.ts';
import { readBlob, readTree } from '../../src/github/trees.ts';
import { answering, api, expectMint, guardNetwork, writing } from '../harness/github-nock.ts';
import { A, API, B, C, failureOf, fixture, REPO, refusal, stage } from '../harness/github-stage.ts';

guardNetwork();

const BRANCH = 'spec/1a2b3c4d-x';
const at = '/repos/acme/shop';
const encoded = encodeURIComponent(BRANCH);

describe('refs', () => {
  const path = `${at}/git/ref/heads%2Ftrunk`;

  test('are read', async () => {
    const gh = answering(path, [200, fixture('ref')]);

    expect(await readRef(gh, REPO, 'heads/trunk')).toEqual({ kind: 'found', sha: A });
  });

  test.each([
    [404, 'not_found', 'missing'],
    [409, 'empty', 'empty'],
  ])('answered with %d are %s', async (status, name, kind) => {
    const gh = answering(path, [status, refusal(name)]);

    expect(await readRef(gh, REPO, 'heads/trunk')).toEqual({ kind });
  });
});

describe('branches', () => {
  const path = `${at}/branches/${encoded}`;

  test('are read', async () => {
    const gh = answering(path, [200, fixture('branch')]);

    expect(await readBranch(gh, REPO, BRANCH)).toEqual({ kind: 'found', sha: A, protected: true });
  });

  test('that are not there are missing', async () => {
    const gh = answering(path, [404, { message: 'Branch not found' }]);

    expect(await readBranch(gh, REPO, BRANCH)).toEqual({ kind: 'missing' });
  });

  test('that were renamed are missing under their old name', async () => {
    const gh = answering(path, [200, { ...fixture('branch'), name: 'other' }]);

    expect(await readBranch(gh, REPO, BRANCH)).toEqual({ kind: 'missing' });
  });
});

describe('branch rules', () => {
  const path = `${at}/rules/branches/${encoded}?per_page=100&page=1`;

  test('are read with their parameters', async () => {
    const gh = answering(path, [200, fixture('branch-rules')]);

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
    expect(await readBranchRules(answering(path, [status, refusal(name)]), REPO, BRANCH)).toEqual([]);
  });

  test('are not none when the App may not read them', async () => {
    const gh = answering(path, [403, refusal('no_permission')]);

    expect((await failureOf(readBranchRules(gh, REPO, BRANCH))).kind).toBe('forbidden');
  });
});

describe('trees', () => {
  test('are read with modes and sizes', async () => {
    const gh = answering(`${at}/git/trees/${B}?recursive=1`, [200, fixture('tree')]);

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
    const gh = answering(`${at}/git/trees/${B}`, [200, { ...fixture('tree'), truncated: true }]);

    expect((await readTree(gh, REPO, { sha: B })).truncated).toBe(true);
  });

  test('have blobs that are read as bytes', async () => {
    const gh = answering(`${at}/git/blobs/${C}`, [200, fixture('blob')]);

    expect(await readBlob(gh, REPO, C)).toEqual(Buffer.from('hällo\n'));
  });
});

describe('commits', () => {
  const path = `${at}/compare/trunk...${encoded}?per_page=100&page=1`;

  test('are compared', async () => {
    const commits = [B, C].map((sha, at) => ({
      sha,
      commit: { message: `feat: ${sha[0]}`, tree: { sha: A } },
      parents: [{ sha: at === 0 ? A : B }],
    }));
    const moved = { filename: 'new', previous_filename: 'old', sha: C, additions: 0, deletions: 0 };
    const edited = { filename: 'a', sha: B, additions: 1, deletions: 0, patch: '@@ -0,0 +1 @@\n+x' };
    const gh = answering(path, [200, { ...fixture('compare'), commits, files: [moved, edited] }]);

    expect(await compareCommits(gh, REPO, { base: 'trunk', head: BRANCH })).toEqual({
      kind: 'found',
      status: 'ahead',
      aheadBy: 3,
      behindBy: 0,
      mergeBaseSha: A,
      commits: [B, C],
      complete: true,
      details: [
        { sha: B, message: 'feat: b', tree: A, parents: [A] },
        { sha: C, message: 'feat: c', tree: A, parents: [B] },
      ],
      files: [
        { path: 'new', previousPath: 'old', sha: C, additions: 0, deletions: 0, patch: null },
        { path: 'a', previousPath: null, sha: B, additions: 1, deletions: 0, patch: edited.patch },
      ],
    });
  });

  test('that are not there are missing', async () => {
    const gh = answering(path, [404, refusal('not_found')]);

    expect(await compareCommits(gh, REPO, { base: 'trunk', head: BRANCH })).toEqual({ kind: 'missing' });
  });
});

describe('a series of commits', () => {
  const range = { base: A, head: B };
  const read = (status: number, body: string | object, type: string) => {
    expectMint('reader');
    nock(API, { reqheaders: { accept: 'application/vnd.github.v3.patch' } })
      .get(`${at}/compare/${A}...${B}`)
      .reply(status, body, { 'content-type': type });
    return readSeriesText(stage().gh, REPO, range);
  };

  test.each(['github', 'github.v3'])('is read as one text (%s)', async (name) => {
    const text = `From ${B} Mon Sep 17 00:00:00 2001\n+x\n`;
    expect(await read(200, text, `application/vnd.${name}.patch; charset=utf-8`)).toBe(text);
  });

  test('is none where GitHub finds it too large or knows no such form', async () => {
    expect(await read(422, refusal('no_commits'), 'application/json')).toBeNull();
    expect(await read(200, fixture('compare'), 'application/json; charset=utf-8')).toBeNull();
  });

  test('is no answer where a web page comes in its place', async () => {
    const page = read(200, '<html></html>', 'text/html; charset=utf-8');
    expect((await failureOf(page)).kind).toBe('unavailable');
  });
});

describe('a commit', () => {
  test.each([true, false])('is made without an author, so that GitHub signs it (%j)', async (verified) => {
    const { gh, github } = writing();
    const commit = { message: 'feat: x', tree: B, parents: [A] };
    github.post(`${at}/git/commits`, commit).reply(201, { sha: C, verification: { verified } });

    expect(await createCommit(gh, REPO, commit)).toEqual({ sha: C, verified });
  });
});

describe('files', () => {
  const path = `${at}/contents/.github%2Fspecwright.yml`;
  const { content: _content, encoding: _encoding, ...entry } = fixture('file');

  test('are read as text from the default branch', async () => {
    const gh = answering(path, [200, fixture('file')]);

    expect(await readFile(gh, REPO, { path: '.github/specwright.yml' })).toEqual({
      kind: 'found',
      text: 'hällo\n',
    });
  });

  test('over 1 MB are read as blobs, at the ref that was asked for', async () => {
    const gh = answering(`${at}/contents/big.txt?ref=trunk`, [200, fixture('file-large')]);
    api().get(`${at}/git/blobs/${C}`).reply(200, fixture('blob'));

    expect(await readFile(gh, REPO, { path: 'big.txt', ref: 'trunk' })).toEqual({
      kind: 'found',
      text: 'hällo\n',
    });
  });

  test.each([
    ['nothing', 404, refusal('not_found')],
    ['a folder', 200, [entry]],
    ['a symbolic link', 200, { ...entry, type: 'symlink', target: '/etc/passwd' }],
    [
      'a submodule',
      200,
      { ...entry, type: 'submodule', submodule_git_url: 'https://github.com/acme/parts.git' },
    ],
  ])('that are none are missing: %s', async (_what, status, body) => {
    const gh = answering(path, [status, body as nock.Body]);

    expect(await readFile(gh, REPO, { path: '.github/specwright.yml' })).toEqual({ kind: 'missing' });
  });
});
