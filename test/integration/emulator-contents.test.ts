import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { cloneDemo, commitIn, headOf } from '../harness/emulated-clone.ts';
import { type EmulatedGithub, pluck } from '../harness/emulated-github.ts';
import { startAskedGithub } from '../harness/emulated-project.ts';
import { runGit } from '../harness/git-command.ts';

let github: EmulatedGithub;
let token: string;

beforeAll(async () => {
  ({ github, token } = await startAskedGithub());
});

afterAll(() => github.close());

const REPO = '/repos/acme/greeter';

describe('contents, trees and comparisons', () => {
  test('read and write files as git objects', async () => {
    const path = `${REPO}/contents/docs/guide.md`;
    const content = (text: string) => Buffer.from(text).toString('base64');
    await github.call(token, `POST ${REPO}/git/refs`, {
      ref: 'refs/heads/docs',
      sha: await headOf(github, token, 'main'),
    });
    const made = await github.call(token, `PUT ${path}`, {
      message: 'Add guide',
      content: content('one\n'),
      branch: 'docs',
    });
    expect(made).toMatchObject({ status: 201, body: { content: { type: 'file', path: 'docs/guide.md' } } });
    expect(
      (await github.call(token, `PUT ${path}`, { message: 'x', content: '', branch: 'docs' })).status,
    ).toBe(422);
    const wrong = { message: 'x', content: '', branch: 'docs', sha: 'f'.repeat(40) };
    expect((await github.call(token, `PUT ${path}`, wrong)).status).toBe(409);
    const read = await github.call(token, `GET ${path}?ref=docs`);
    expect(Buffer.from(read.body.content, 'base64').toString()).toBe('one\n');
    const blob = await github.call(token, `GET ${REPO}/git/blobs/${read.body.sha}`);
    expect(blob.body).toMatchObject({ size: 4, encoding: 'base64' });
    const tree = await github.call(token, `GET ${REPO}/git/trees/docs?recursive=1`);
    expect(pluck(tree.body.tree, 'path')).toContain('docs/guide.md');
    const folder = await github.call(token, `GET ${REPO}/contents/docs?ref=docs`);
    expect(folder.body).toMatchObject([{ name: 'guide.md', type: 'file' }]);
    const removed = await github.call(token, `DELETE ${path}`, {
      message: 'Drop',
      sha: read.body.sha,
      branch: 'docs',
    });
    expect(removed).toMatchObject({ status: 200, body: { content: null } });
    expect((await github.call(token, `GET ${REPO}/contents/docs?ref=docs`)).status).toBe(404);
    const checked = await runGit(String((await github.emulator.state()).repos['acme/greeter']?.gitDir), [
      'fsck',
      '--strict',
    ]);
    expect(checked).toMatchObject({ code: 0 });
  });

  test('compare two branches from their merge base', async () => {
    const folder = await cloneDemo(github, token);
    const sha = await commitIn(folder, 'README.md', '# changed\n');
    await runGit(folder, ['push', 'origin', 'HEAD:refs/heads/compared']);
    const { body } = await github.call(token, `GET ${REPO}/compare/main...compared`);
    expect(body).toMatchObject({
      status: 'ahead',
      ahead_by: 1,
      behind_by: 0,
      total_commits: 1,
      merge_base_commit: { sha: await headOf(github, token, 'main') },
      commits: [{ sha }],
      files: [{ filename: 'README.md', status: 'modified' }],
    });
    expect(body.files[0].patch).toMatch(/^@@ /);
    const back = await github.call(token, `GET ${REPO}/compare/acme:compared...main`);
    expect(back.body).toMatchObject({ status: 'behind', behind_by: 1, files: [] });
    const same = await github.call(token, `GET ${REPO}/compare/main...main`);
    expect(same.body).toMatchObject({ status: 'identical', commits: [] });
    expect((await github.call(token, `GET ${REPO}/compare/main...nowhere`)).status).toBe(404);
  });

  test('build commits from blobs and trees without a clone', async () => {
    const main = await headOf(github, token, 'main');
    const blob = await github.call(token, `POST ${REPO}/git/blobs`, { content: 'built\n' });
    const entry = { path: 'built/by/api.txt', mode: '100755', type: 'blob', sha: blob.body.sha };
    const base = (await github.call(token, `GET ${REPO}/git/commits/${main}`)).body.tree.sha;
    const tree = await github.call(token, `POST ${REPO}/git/trees`, { base_tree: base, tree: [entry] });
    const made = await github.call(token, `POST ${REPO}/git/commits`, {
      message: 'Built',
      tree: tree.body.sha,
      parents: [main],
    });
    expect(made.status).toBe(201);
    await github.call(token, `POST ${REPO}/git/refs`, { ref: 'refs/heads/built', sha: made.body.sha });
    const { body } = await github.call(token, `GET ${REPO}/commits/built`);
    expect(body).toMatchObject({
      sha: made.body.sha,
      files: [{ filename: 'built/by/api.txt', status: 'added' }],
    });
  });
});
