import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Answer, type EmulatedGithub, pluck } from '../harness/emulated-github.ts';
import { type EmulatedProject, openPull, startAskedGithub } from '../harness/emulated-project.ts';

let github: EmulatedGithub;
let token: string;
let mona: string;
let project: EmulatedProject;
let pull: string;
let head: string;

beforeAll(async () => {
  ({ github, token, mona } = await startAskedGithub());
});

beforeEach(async () => {
  ({ project, pull, head } = await openPull({ github, token }, { 'one.txt': 'uno\ndos\n' }));
});

afterAll(() => github.close());

function review(as: string, event: string, more: Record<string, unknown> = {}): Promise<Answer> {
  return github.call(as, `POST ${pull}/reviews`, { event, ...more });
}

function commentOn(line: number, body = 'Why?'): Promise<Answer> {
  const place = { path: 'one.txt', line, commit_id: head };
  return github.call(mona, `POST ${pull}/comments`, { ...place, body });
}

describe('a review', () => {
  test('is submitted with its comments, each with the part of the diff it is about', async () => {
    const comments = [
      { path: 'one.txt', line: 2, body: 'Two' },
      { path: 'one.txt', line: 1, side: 'LEFT', body: 'Gone' },
    ];
    const done = await review(mona, 'REQUEST_CHANGES', { body: 'Not yet', comments });
    expect(done).toMatchObject({
      status: 200,
      body: { state: 'CHANGES_REQUESTED', body: 'Not yet', commit_id: head, user: { login: 'mona' } },
    });
    const { body } = await github.call(token, `GET ${pull}/comments`);
    expect(body).toMatchObject([
      { body: 'Two', line: 2, side: 'RIGHT', position: 3, pull_request_review_id: done.body.id },
      { body: 'Gone', line: 1, side: 'LEFT', position: 1, diff_hunk: '@@ -1 +1,2 @@\n-one' },
    ]);
    await github.emulator.idle();
    expect(github.names()).toEqual([
      'pull_request_review.submitted',
      'pull_request_review_comment.created',
      'pull_request_review_comment.created',
    ]);
    expect(github.received[0]?.payload.review).toMatchObject({
      id: done.body.id,
      state: 'changes_requested',
    });
    const of = await github.call(token, `GET ${pull}/reviews/${done.body.id}/comments`);
    expect(pluck(of.body, 'body')).toEqual(['Two', 'Gone']);
    expect((await github.call(token, pull.replace(/^/, 'GET '))).body.review_comments).toBe(2);
  });

  test('is refused on a line that the diff does not show, without words, and of one’s own work', async () => {
    const outside = { comments: [{ path: 'one.txt', line: 9, body: 'Where?' }] };
    expect(await review(mona, 'COMMENT', outside)).toMatchObject({
      status: 422,
      body: { errors: [{ message: expect.stringContaining('must be part of the diff') }] },
    });
    expect((await review(mona, 'COMMENT')).status).toBe(422);
    expect((await review(token, 'APPROVE')).body.errors).toEqual(['Can not approve your own pull request']);
    expect((await github.call(token, `GET ${pull}/reviews`)).body).toEqual([]);
  });

  test('can be dismissed by who may write', async () => {
    const { body } = await review(mona, 'APPROVE');
    const path = `PUT ${pull}/reviews/${body.id}/dismissals`;
    const rookie = github.demo.people.reader.token;
    expect((await github.call(rookie, path, { message: 'No' })).status).toBe(403);
    const done = await github.call(mona, path, { message: 'Too early' });
    expect(done.body).toMatchObject({ id: body.id, state: 'DISMISSED' });
    await github.emulator.idle();
    expect(github.names()).toEqual(['pull_request_review.submitted', 'pull_request_review.dismissed']);
  });
});

describe('a comment on a line', () => {
  test('begins a thread in a review of its own, and replies join it', async () => {
    const first = await commentOn(1);
    expect(first).toMatchObject({ status: 201, body: { line: 1, original_commit_id: head } });
    const answer = await github.call(token, `POST ${pull}/comments/${first.body.id}/replies`, {
      body: 'Because',
    });
    expect(answer.body).toMatchObject({ in_reply_to_id: first.body.id, user: { login: 'specwright[bot]' } });
    expect(answer.body.pull_request_review_id).not.toBe(first.body.pull_request_review_id);
    const { body } = await github.call(token, `GET ${pull}/reviews`);
    expect(pluck(body, 'state')).toEqual(['COMMENTED', 'COMMENTED']);
    const other = { body: 'And?', in_reply_to: first.body.id, commit_id: head, path: 'one.txt' };
    expect((await github.call(mona, `POST ${pull}/comments`, other)).status).toBe(201);
    const all = await github.call(token, `GET ${project.path}/pulls/comments?direction=desc`);
    expect(pluck(all.body, 'body')).toEqual(['And?', 'Because', 'Why?']);
  });

  test('loses its line when its file changes, and only then', async () => {
    const { body } = await commentOn(1);
    await project.put('topic', 'two.txt', 'zwei\n');
    const path = `GET ${project.path}/pulls/comments/${body.id}`;
    expect((await github.call(token, path)).body).toMatchObject({ line: 1, original_line: 1 });
    await project.put('topic', 'one.txt', 'un\n');
    const outdated = (await github.call(token, path)).body;
    expect(outdated).toMatchObject({ original_line: 1, commit_id: head });
    expect([outdated.line, outdated.position]).toEqual([undefined, undefined]);
  });

  test('is changed and removed by its author or who may write, and by nobody else', async () => {
    const { body } = await commentOn(1);
    const path = `${project.path}/pulls/comments/${body.id}`;
    expect((await github.call(token, `PATCH ${path}`, { body: 'Mine now' })).status).toBe(403);
    const edited = await github.call(mona, `PATCH ${path}`, { body: 'How?' });
    expect(edited.body.body).toBe('How?');
    expect((await github.call(mona, `DELETE ${path}`)).status).toBe(204);
    expect((await github.call(mona, `GET ${path}`)).status).toBe(404);
    await github.emulator.idle();
    expect(github.names().slice(-2)).toEqual([
      'pull_request_review_comment.edited',
      'pull_request_review_comment.deleted',
    ]);
  });
});
