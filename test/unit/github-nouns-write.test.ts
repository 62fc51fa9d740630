import { describe, expect, test } from '@jest/globals';
import {
  createComment,
  deleteComment,
  editComment,
  findCommentByMarker,
  listComments,
} from '../../src/github/comments.ts';
import { addLabels, removeLabel } from '../../src/github/labels.ts';
import { addCommentReaction, addIssueReaction } from '../../src/github/reactions.ts';
import { createRef, deleteRef, moveRef } from '../../src/github/refs.ts';
import { api, expectMint, guardNetwork, writing } from '../harness/github-nock.ts';
import { A, asked, failureOf, fixture, REPO, refusal, stage } from '../harness/github-stage.ts';

guardNetwork();

const BRANCH = 'spec/1a2b3c4d-x';
const at = '/repos/acme/shop';

describe('a ref', () => {
  const body = { ref: `refs/heads/${BRANCH}`, sha: A };
  const one = `${at}/git/refs/heads%2Fspec%2F1a2b3c4d-x`;
  const place = { ref: `heads/${BRANCH}`, sha: A };

  test('is created', async () => {
    const { gh, github } = writing();
    github.post(`${at}/git/refs`, body).reply(201, fixture('ref'));

    expect(await createRef(gh, REPO, place)).toEqual({ kind: 'created' });
  });

  test.each([
    [422, 'ref_exists', { kind: 'exists' }],
    [422, 'rename_rule', { kind: 'refused', message: expect.stringContaining('creations being restricted') }],
    [403, 'no_permission', { kind: 'refused', message: 'Resource not accessible by integration' }],
    [403, 'archived', { kind: 'refused', message: 'Repository was archived so is read-only.' }],
    [409, 'empty', { kind: 'refused', message: 'Git Repository is empty.' }],
  ])('that can’t be created (%d %s) is an outcome', async (status, name, outcome) => {
    const { gh, github } = writing();
    github.post(`${at}/git/refs`, body).times(asked(status, name)).reply(status, refusal(name));

    expect(await createRef(gh, REPO, place)).toEqual(outcome);
  });

  test.each([
    [403, 'secondary', 'secondary_limited'],
    [403, 'suspended', 'suspended'],
    [500, 'server_error', 'unavailable'],
    [404, 'not_found', 'not_found'],
  ])('is not refused for good by %d %s', async (status, name, kind) => {
    const { gh, github } = writing();
    github.post(`${at}/git/refs`, body).times(asked(status, name)).reply(status, refusal(name));

    expect((await failureOf(createRef(gh, REPO, place))).kind).toBe(kind);
  });

  test('is moved, never by force', async () => {
    const { gh, github } = writing();
    github.patch(one, { sha: A, force: false }).reply(200, fixture('ref'));

    expect(await moveRef(gh, REPO, place)).toEqual({ kind: 'moved' });
  });

  test.each([
    [422, 'ref_missing', { kind: 'missing' }],
    [404, 'not_found', { kind: 'missing' }],
    [422, 'not_fast_forward', { kind: 'diverged' }],
    [422, 'rename_rule', { kind: 'refused', message: expect.stringContaining('rule violations') }],
  ])('that can’t be moved (%d %s) is an outcome', async (status, name, outcome) => {
    const { gh, github } = writing();
    github.patch(one, { sha: A, force: false }).times(asked(status, name)).reply(status, refusal(name));

    expect(await moveRef(gh, REPO, place)).toEqual(outcome);
  });

  test('is deleted', async () => {
    const { gh, github } = writing();
    github.delete(one).reply(204);

    expect(await deleteRef(gh, REPO, `heads/${BRANCH}`)).toEqual({ kind: 'deleted' });
  });

  test.each([
    [422, 'ref_missing', { kind: 'missing' }],
    [404, 'not_found', { kind: 'missing' }],
    [422, 'rename_rule', { kind: 'refused', message: expect.stringContaining('rule violations') }],
  ])('that can’t be deleted (%d %s) is an outcome', async (status, name, outcome) => {
    const { gh, github } = writing();
    github.delete(one).times(asked(status, name)).reply(status, refusal(name));

    expect(await deleteRef(gh, REPO, `heads/${BRANCH}`)).toEqual(outcome);
  });
});

describe('a comment', () => {
  const one = `${at}/issues/comments/1001`;

  test('is created', async () => {
    const { gh, github } = writing('issues');
    github.post(`${at}/issues/5/comments`, { body: 'hello' }).reply(201, fixture('comment'));

    expect(await createComment(gh, REPO, { issue: 5, body: 'hello' })).toEqual({
      id: 1001,
      url: 'https://github.com/acme/shop/issues/5#issuecomment-1001',
    });
  });

  test('is edited', async () => {
    const { gh, github } = writing('issues');
    github.patch(one, { body: 'new' }).reply(200, fixture('comment'));

    expect(await editComment(gh, REPO, { id: 1001, body: 'new' })).toEqual({ kind: 'edited' });
  });

  test('is deleted', async () => {
    const { gh, github } = writing('issues');
    github.delete(one).reply(204);

    expect(await deleteComment(gh, REPO, 1001)).toEqual({ kind: 'deleted' });
  });

  test.each([404, 410])('that is gone (%d) is missing', async (status) => {
    const { gh, github } = writing('issues');
    github.patch(one).times(asked(status)).reply(status, refusal('not_found'));
    github.delete(one).times(asked(status)).reply(status, refusal('not_found'));

    expect(await editComment(gh, REPO, { id: 1001, body: 'new' })).toEqual({ kind: 'missing' });
    expect(await deleteComment(gh, REPO, 1001)).toEqual({ kind: 'missing' });
  });

  test('is found by its marker: ours only, this effect only, oldest first', async () => {
    const { gh, github } = writing('issues');
    github
      .get(`${at}/issues/5/comments`)
      .query({ per_page: '100', page: '1', since: '2026-01-01T00:00:00.000Z' })
      .reply(200, fixture('comments'));

    const found = await findCommentByMarker(gh, REPO, {
      issue: 5,
      key: 'spec/1a2b/notice',
      since: new Date('2026-01-01T00:00:00Z'),
    });

    expect(found.map((comment) => comment.id)).toEqual([1001, 1005]);
    expect(found[0]).toMatchObject({ authorId: 900, authorLogin: 'specwright[bot]', ours: true });
  });

  test('of an App that is set by its client id is ours too', async () => {
    expectMint('issues');
    api().get(`${at}/issues/5/comments`).query(true).reply(200, fixture('comments'));

    const { items } = await listComments(stage({ appId: 'Iv23fixture' }).gh, REPO, { issue: 5 });

    expect(items.filter((comment) => comment.ours).map((comment) => comment.id)).toEqual([1005, 1001, 1004]);
  });

  test('is looked for on every page, and a list that was cut says so', async () => {
    const [first] = fixture('comments') as unknown as object[];
    const page = Array.from({ length: 100 }, (_, n) => ({ ...first, id: n }));
    const { gh, github } = writing('issues');
    for (const number of ['1', '2']) {
      github
        .get(`${at}/issues/5/comments`)
        .query({ per_page: '100', page: number })
        .times(2)
        .reply(200, page);
    }
    github.get(`${at}/issues/5/comments`).query({ per_page: '100', page: '3' }).reply(200, [first]);

    const whole = await listComments(gh, REPO, { issue: 5 });
    const cut = await listComments(gh, REPO, { issue: 5, maxPages: 2 });

    expect([whole.items.length, whole.complete]).toEqual([201, true]);
    expect([cut.items.length, cut.complete]).toEqual([200, false]);
  });
});

describe('a reaction', () => {
  test.each([200, 201])('is added to an issue or a comment, once or again (%d)', async (status) => {
    const { gh, github } = writing('issues');
    github.post(`${at}/issues/5/reactions`, { content: 'eyes' }).reply(status, fixture('reaction'));
    github
      .post(`${at}/issues/comments/1001/reactions`, { content: 'confused' })
      .reply(status, fixture('reaction'));

    expect(await addIssueReaction(gh, REPO, { issue: 5, content: 'eyes' })).toEqual({ id: 71 });
    expect(await addCommentReaction(gh, REPO, { comment: 1001, content: 'confused' })).toEqual({ id: 71 });
  });
});

describe('a label', () => {
  const one = `${at}/issues/5/labels/in%20progress`;

  test('is added', async () => {
    const { gh, github } = writing('issues');
    github.post(`${at}/issues/5/labels`, { labels: ['in progress'] }).reply(200, fixture('labels'));

    expect(await addLabels(gh, REPO, { issue: 5, labels: ['in progress'] })).toEqual(['spec', 'in progress']);
  });

  test('is removed', async () => {
    const { gh, github } = writing('issues');
    github.delete(one).reply(200, []);

    expect(await removeLabel(gh, REPO, { issue: 5, label: 'in progress' })).toEqual({ kind: 'removed' });
  });

  test('that is not there is missing', async () => {
    const { gh, github } = writing('issues');
    github.delete(one).times(asked(404)).reply(404, { message: 'Label does not exist' });

    expect(await removeLabel(gh, REPO, { issue: 5, label: 'in progress' })).toEqual({ kind: 'missing' });
  });
});
