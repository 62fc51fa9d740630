import { describe, expect, test } from '@jest/globals';
import type nock from 'nock';
import {
  createPull,
  findPullByHead,
  listPullsWithBase,
  listPullsWithHead,
  readPull,
} from '../../src/github/pulls.ts';
import { guardNetwork, writing } from '../harness/github-nock.ts';
import { asked, B, C, failureOf, fixture, REPO, refusal } from '../harness/github-stage.ts';

guardNetwork();

const BRANCH = 'spec/1a2b3c4d-x';
const at = '/repos/acme/shop';

describe('a pull request', () => {
  const pull = { title: 'feat: a thing', body: 'b', head: BRANCH, base: 'trunk' };

  test('is created', async () => {
    const { gh, github } = writing();
    github.post(`${at}/pulls`, { ...pull, draft: true }).reply(201, fixture('pull'));

    expect(await createPull(gh, REPO, { ...pull, draft: true })).toEqual({
      kind: 'created',
      number: 12,
      url: 'https://github.com/acme/shop/pull/12',
      headSha: B,
    });
  });

  test.each([
    [422, 'pull_exists', { kind: 'exists' }],
    [422, 'no_commits', { kind: 'nothing_between' }],
    [422, 'bad_base', { kind: 'base_missing' }],
    [403, 'no_permission', { kind: 'refused', message: 'Resource not accessible by integration' }],
  ])('that can’t be created (%d %s) is an outcome', async (status, name, outcome) => {
    const { gh, github } = writing();
    github
      .post(`${at}/pulls`, { ...pull, draft: false })
      .times(asked(status, name))
      .reply(status, refusal(name));

    expect(await createPull(gh, REPO, pull)).toEqual(outcome);
  });

  test('that may have been created is no outcome', async () => {
    const { gh, github } = writing();
    github.post(`${at}/pulls`).reply(502, '<html>');

    expect(await failureOf(createPull(gh, REPO, pull))).toMatchObject({ ambiguous: true });
  });

  test('that is open has no merge commit, only a trial one that is left out', async () => {
    const { gh, github } = writing();
    github.get(`${at}/pulls/12`).reply(200, fixture('pull'));

    expect(await readPull(gh, REPO, 12)).toEqual({
      kind: 'found',
      number: 12,
      url: 'https://github.com/acme/shop/pull/12',
      title: 'feat: a thing',
      state: 'open',
      draft: false,
      merged: false,
      mergeSha: undefined,
      mergedAt: undefined,
      headSha: B,
      headRef: BRANCH,
      headRepositoryId: 42,
      baseRef: 'trunk',
      authorId: 900,
    });
  });

  test('that was merged has one', async () => {
    const { gh, github } = writing();
    github.get(`${at}/pulls/12`).reply(200, fixture('pull-merged'));

    expect(await readPull(gh, REPO, 12)).toMatchObject({
      state: 'closed',
      merged: true,
      mergeSha: C,
      mergedAt: new Date('2026-01-02T00:00:00Z'),
    });
  });

  test('that is not there is missing', async () => {
    const { gh, github } = writing();
    github.get(`${at}/pulls/12`).times(asked(404)).reply(404, refusal('not_found'));

    expect(await readPull(gh, REPO, 12)).toEqual({ kind: 'missing' });
  });

  const listed = (query: Record<string, string>, body: nock.Body) => {
    const { gh, github } = writing();
    github
      .get(`${at}/pulls`)
      .query({ ...query, per_page: '100', page: '1' })
      .reply(200, body);
    return gh;
  };

  test('is found by its head: of this repository, the open one before the closed', async () => {
    const gh = listed({ head: `acme:${BRANCH}`, state: 'all' }, fixture('pulls'));

    expect((await findPullByHead(gh, REPO, { branch: BRANCH, state: 'all' }))?.number).toBe(12);
  });

  test('is not found where only forks have a branch of this name', async () => {
    const [, , fork, other, gone] = fixture('pulls') as unknown as object[];
    const gh = listed({ head: `acme:${BRANCH}`, state: 'open' }, [fork, other, gone]);

    expect(await findPullByHead(gh, REPO, { branch: BRANCH, state: 'open' })).toBeUndefined();
  });

  test('is listed with its head', async () => {
    // A list says nothing of merging.
    const { merged: _merged, mergeable: _mergeable, ...pull } = fixture('pull');
    const gh = listed({ head: `acme:${BRANCH}`, state: 'open' }, [pull]);

    expect((await listPullsWithHead(gh, REPO, BRANCH)).map((each) => each.number)).toEqual([12]);
  });

  test('is listed with its base, wherever its head is', async () => {
    const gh = listed({ base: 'trunk', state: 'open' }, fixture('pulls'));

    expect((await listPullsWithBase(gh, REPO, 'trunk')).map((each) => each.number)).toEqual([
      13, 12, 14, 15, 16,
    ]);
  });
});
