import { describe, expect, test } from '@jest/globals';
import type nock from 'nock';
import { readBranch, readBranchRules } from '../../src/github/branches.ts';
import { compareCommits } from '../../src/github/commits.ts';
import { readFile } from '../../src/github/contents.ts';
import { readRef } from '../../src/github/refs.ts';
import { readBlob, readTree } from '../../src/github/trees.ts';
import { answering, api, guardNetwork } from '../harness/github-nock.ts';
import { A, B, C, failureOf, fixture, REPO, refusal } from '../harness/github-stage.ts';

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
    const gh = answering(path, [200, { ...fixture('compare'), commits: [{ sha: B }, { sha: C }] }]);

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
    const gh = answering(path, [404, refusal('not_found')]);

    expect(await compareCommits(gh, REPO, { base: 'trunk', head: BRANCH })).toEqual({ kind: 'missing' });
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
