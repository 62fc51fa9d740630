import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type EmulatedGithub, pluck } from '../harness/emulated-github.ts';
import { type EmulatedProject, openProject, startAskedGithub } from '../harness/emulated-project.ts';
import { runGit } from '../harness/git-command.ts';

let github: EmulatedGithub;
let token: string;
let mona: string;
let project: EmulatedProject;
let repo: string;

beforeAll(async () => {
  ({ github, token, mona } = await startAskedGithub());
});

beforeEach(async () => {
  project = await openProject(github, token);
  repo = project.path;
  github.emulator.hooks.mergeOrder = 'pull_request_first';
});

afterAll(() => github.close());

async function file(path: string): Promise<string> {
  const { body } = await github.call(token, `GET ${repo}/contents/${path}`);
  return Buffer.from(body.content ?? '', 'base64').toString();
}

describe('opening a pull request', () => {
  test('answers with what git knows and sends pull_request.opened', async () => {
    await project.branch('topic', { 'three.txt': 'three\n', 'one.txt': 'uno\n' });
    const made = await project.open('acme:topic', 'Text');
    expect(made).toMatchObject({
      status: 201,
      body: {
        number: 1,
        state: 'open',
        mergeable: null,
        commits: 2,
        changed_files: 2,
        additions: 2,
        deletions: 1,
        merged: false,
      },
    });
    expect(made.body.user.login).toBe('specwright[bot]');
    const files = await github.call(token, `GET ${repo}/pulls/1/files`);
    expect(pluck(files.body, 'filename')).toEqual(['one.txt', 'three.txt']);
    const found = await github.call(token, `GET ${repo}/pulls?head=acme:topic&state=all`);
    expect(found.body).toMatchObject([
      { number: 1, head: { ref: 'topic', repo: { id: expect.any(Number) } } },
    ]);
    await github.emulator.idle();
    expect(github.names().at(-1)).toBe('pull_request.opened');
  });

  test('is refused twice for one branch, without commits, and from nowhere', async () => {
    await project.branch('topic', { 'three.txt': 'three\n' });
    await project.branch('same', {});
    await project.open('topic');
    const message = async (head: string) =>
      (await project.open(head)).body.errors[0].message ?? (await project.open(head)).body.errors[0].field;
    expect(await message('topic')).toBe('A pull request already exists for acme:topic.');
    expect(await message('same')).toBe('No commits between main and same');
    expect(await message('nowhere')).toBe('head');
  });

  test('follows its branch: new commits synchronize it, deleting the branch closes it', async () => {
    await project.branch('topic', { 'three.txt': 'three\n' });
    const { body } = await project.open('topic');
    await project.put('topic', 'four.txt', 'four\n');
    await github.emulator.idle();
    const last = github.received.at(-1);
    expect(last).toMatchObject({
      event: 'pull_request',
      action: 'synchronize',
      payload: { before: body.head.sha },
    });
    const { body: now } = await github.call(token, `GET ${repo}/pulls/1`);
    expect(now).toMatchObject({ commits: 2, head: { sha: last?.payload.after } });
    await github.call(token, `DELETE ${repo}/git/refs/heads/topic`);
    await github.emulator.idle();
    expect(github.received.at(-1)).toMatchObject({
      action: 'closed',
      payload: { pull_request: { merged: false, state: 'closed' } },
    });
    const reopened = await github.call(mona, `PATCH ${repo}/pulls/1`, { state: 'open' });
    expect(reopened.status).toBe(422);
  });
});

describe('merging', () => {
  test('makes a real merge commit, closes the named issue and leaves both histories', async () => {
    await github.call(mona, `POST ${repo}/issues`, { title: 'Wanted' });
    await project.branch('topic', { 'three.txt': 'three\n' });
    await project.put('main', 'meanwhile.txt', 'meanwhile\n');
    const pull = await project.open('topic', 'Closes #1');
    const merged = await github.call(mona, `PUT ${repo}/pulls/2/merge`);
    expect(merged).toMatchObject({ status: 200, body: { merged: true } });
    expect([await file('three.txt'), await file('meanwhile.txt')]).toEqual(['three\n', 'meanwhile\n']);
    const { body: commit } = await github.call(token, `GET ${repo}/git/commits/${merged.body.sha}`);
    expect(commit.parents).toHaveLength(2);
    expect(commit.parents[1].sha).toBe(pull.body.head.sha);
    expect(commit.message).toBe('Merge pull request #2 from acme/topic\n\nMerge topic');
    const { body: issue } = await github.call(token, `GET ${repo}/issues/1`);
    expect(issue).toMatchObject({ state: 'closed', state_reason: 'completed', closed_by: { login: 'mona' } });
    const { body: after } = await github.call(token, `GET ${repo}/pulls/2`);
    expect(after).toMatchObject({
      merged: true,
      merge_commit_sha: merged.body.sha,
      merged_by: { login: 'mona' },
      state: 'closed',
    });
    expect((await github.call(token, `GET ${repo}/pulls/2/merge`)).status).toBe(204);
    await github.emulator.idle();
    expect(github.names().slice(-3)).toEqual(['push', 'pull_request.closed', 'issues.closed']);
  });

  test('can send the issue first', async () => {
    github.emulator.hooks.mergeOrder = 'issues_first';
    await github.call(mona, `POST ${repo}/issues`, { title: 'Wanted' });
    await project.branch('topic', { 'three.txt': 'three\n' });
    await project.open('topic', 'Fixes #1');
    await github.call(mona, `PUT ${repo}/pulls/2/merge`);
    await github.emulator.idle();
    expect(github.names().slice(-2)).toEqual(['issues.closed', 'pull_request.closed']);
  });

  test('refuses a conflict with 405 and a wrong head with 409', async () => {
    await project.branch('topic', { 'one.txt': 'uno\n' });
    const { body } = await project.open('topic');
    await project.put('main', 'one.txt', 'eins\n');
    await github.call(token, `GET ${repo}/pulls/1`);
    const { body: now } = await github.call(token, `GET ${repo}/pulls/1`);
    expect(now).toMatchObject({ mergeable: false, mergeable_state: 'dirty' });
    expect((await github.call(mona, `PUT ${repo}/pulls/1/merge`)).status).toBe(405);
    const wrong = await github.call(mona, `PUT ${repo}/pulls/1/merge`, { sha: now.base.sha });
    expect(wrong.status).toBe(409);
    expect(await file('one.txt')).toBe('eins\n');
    expect(body.merged).toBe(false);
  });

  test('squashes into one commit and rebases into as many as there were', async () => {
    await project.branch('squashed', { 'three.txt': 'three\n', 'four.txt': 'four\n' });
    await project.branch('rebased', { 'five.txt': 'five\n', 'six.txt': 'six\n' });
    await project.open('squashed');
    await project.open('rebased');
    await github.call(mona, `PUT ${repo}/pulls/1/merge`, { merge_method: 'squash' });
    const done = await github.call(mona, `PUT ${repo}/pulls/2/merge`, { merge_method: 'rebase' });
    expect(done.status).toBe(200);
    const { body } = await github.call(token, `GET ${repo}/commits`);
    const titles = pluck(pluck(body, 'commit'), 'message').map((message) => String(message).split('\n')[0]);
    expect(titles).toEqual(['Change six.txt', 'Change five.txt', 'Merge squashed (#1)', 'Initial commit']);
    expect(body[0].parents).toHaveLength(1);
  });

  test('is noticed when somebody pushes the merge by hand', async () => {
    await project.branch('topic', { 'three.txt': 'three\n' });
    const { body } = await project.open('topic');
    await github.call(token, `PATCH ${repo}/git/refs/heads/main`, { sha: body.head.sha });
    await github.emulator.idle();
    expect(github.received.at(-1)).toMatchObject({
      action: 'closed',
      payload: { pull_request: { merged: true } },
    });
  });

  test('keeps the pull request readable after its branch is gone', async () => {
    await project.branch('topic', { 'three.txt': 'three\n' });
    const { body } = await project.open('topic');
    await github.call(mona, `PUT ${repo}/pulls/1/merge`, { merge_method: 'squash' });
    await github.call(mona, `DELETE ${repo}/git/refs/heads/topic`);
    const commits = await github.call(token, `GET ${repo}/pulls/1/commits`);
    expect(commits.body).toMatchObject([{ sha: body.head.sha }]);
    const state = (await github.emulator.state()).repos[repo.slice('/repos/'.length)];
    expect(state).toMatchObject({ hiddenRefs: {}, pulls: [{ number: 1, merged: true, state: 'closed' }] });
    expect(Object.keys(state?.branches ?? {})).toEqual(['main']);
    const listed = await runGit(String(state?.gitDir), ['rev-parse', 'refs/pull/1/head']);
    expect(listed.output.trim()).toBe(body.head.sha);
  });
});
