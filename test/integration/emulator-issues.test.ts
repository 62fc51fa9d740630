import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { askGraphql, type EmulatedGithub, pluck, startEmulatedGithub } from '../harness/emulated-github.ts';

let github: EmulatedGithub;
let token: string;
let mona: string;

beforeAll(async () => {
  github = await startEmulatedGithub();
  token = await github.token();
  mona = github.demo.people.maintainer.token;
});

afterAll(() => github.close());

const REPO = '/repos/acme/greeter';

async function newIssue(title = 'An issue'): Promise<string> {
  const { body } = await github.call(mona, `POST ${REPO}/issues`, { title, body: 'Text' });
  return `${REPO}/issues/${body.number}`;
}

async function eventsOf(work: () => Promise<unknown>): Promise<string[]> {
  await github.emulator.idle();
  const from = github.received.length;
  await work();
  await github.emulator.idle();
  return github.names().slice(from);
}

describe('issues', () => {
  test('send one event for each thing that happens to them', async () => {
    let issue = '';
    const events = await eventsOf(async () => {
      issue = await newIssue();
      await github.call(mona, `POST ${issue}/labels`, { labels: ['bug', 'enhancement'] });
      await github.call(mona, `POST ${issue}/labels`, { labels: ['bug'] });
      await github.call(mona, `DELETE ${issue}/labels/bug`);
      await github.call(mona, `PATCH ${issue}`, { title: 'New title', body: 'New text' });
      await github.call(mona, `PATCH ${issue}`, { state: 'closed', state_reason: 'not_planned' });
      await github.call(mona, `PATCH ${issue}`, { state: 'closed' });
      await github.call(mona, `PATCH ${issue}`, { state: 'open' });
    });
    expect(events).toEqual([
      'issues.opened',
      'issues.labeled',
      'issues.labeled',
      'issues.unlabeled',
      'issues.edited',
      'issues.closed',
      'issues.reopened',
    ]);
    const edited = github.received.findLast((one) => one.action === 'edited');
    expect(edited?.payload.changes).toEqual({ title: { from: 'An issue' }, body: { from: 'Text' } });
    const labelled = github.received.findLast((one) => one.action === 'labeled');
    expect(labelled?.payload).toMatchObject({
      label: { name: 'enhancement' },
      sender: { login: 'mona' },
      organization: { login: 'acme' },
    });
    expect((await github.call(token, `DELETE ${issue}/labels/bug`)).body.message).toBe(
      'Label does not exist',
    );
  });

  test('make an unknown label, grey, when it is put on them', async () => {
    const issue = await newIssue();
    const events = await eventsOf(() => github.call(mona, `POST ${issue}/labels`, { labels: ['brand-new'] }));
    expect(events).toEqual(['label.created', 'issues.labeled']);
    expect((await github.call(token, `GET ${REPO}/labels/brand-new`)).body).toMatchObject({
      color: 'ededed',
      default: false,
    });
  });

  test('are listed by state and label, newest first', async () => {
    const first = await newIssue('First');
    const second = await newIssue('Second');
    for (const one of [first, second]) await github.call(mona, `POST ${one}/labels`, { labels: ['listed'] });
    await github.call(mona, `PATCH ${first}`, { state: 'closed' });
    const titles = async (query: string) =>
      pluck((await github.call(token, `GET ${REPO}/issues?labels=listed&${query}`)).body, 'title');
    expect(await titles('')).toEqual(['Second']);
    expect(await titles('state=all')).toEqual(['Second', 'First']);
    expect(await titles('state=closed')).toEqual(['First']);
  });
});

describe('labels of the repository', () => {
  test('are created once, changed and removed from everywhere', async () => {
    const issue = await newIssue();
    expect((await github.call(token, `POST ${REPO}/labels`, { name: 'spec', color: '0e8a16' })).status).toBe(
      201,
    );
    expect((await github.call(token, `POST ${REPO}/labels`, { name: 'Spec', color: '0e8a16' })).status).toBe(
      422,
    );
    await github.call(mona, `POST ${issue}/labels`, { labels: ['spec'] });
    const renamed = await github.call(token, `PATCH ${REPO}/labels/spec`, { new_name: 'specified' });
    expect(renamed.body.name).toBe('specified');
    expect((await github.call(token, `GET ${issue}/labels`)).body).toMatchObject([{ name: 'specified' }]);
    expect((await github.call(token, `DELETE ${REPO}/labels/specified`)).status).toBe(204);
    expect((await github.call(token, `GET ${issue}`)).body.labels).toEqual([]);
  });
});

describe('comments', () => {
  test('are created, edited and deleted by their author, with an event each', async () => {
    const issue = await newIssue();
    const events = await eventsOf(async () => {
      const { body } = await github.call(token, `POST ${issue}/comments`, { body: 'Hello' });
      expect(body).toMatchObject({
        user: { login: 'specwright[bot]', type: 'Bot' },
        performed_via_github_app: { slug: 'specwright' },
      });
      await github.call(token, `PATCH ${REPO}/issues/comments/${body.id}`, { body: 'Hello again' });
      const foreign = await github.call(
        github.demo.people.reader.token,
        `PATCH ${REPO}/issues/comments/${body.id}`,
        { body: 'x' },
      );
      expect(foreign.status).toBe(403);
      expect((await github.call(token, `DELETE ${REPO}/issues/comments/${body.id}`)).status).toBe(204);
      expect((await github.call(token, `GET ${REPO}/issues/comments/${body.id}`)).status).toBe(404);
    });
    expect(events).toEqual(['issue_comment.created', 'issue_comment.edited', 'issue_comment.deleted']);
    expect(github.received.at(-2)?.payload.changes).toEqual({ body: { from: 'Hello' } });
  });

  test('come in pages that name the next and the last one', async () => {
    const issue = await newIssue();
    for (let at = 1; at <= 5; at += 1)
      await github.call(mona, `POST ${issue}/comments`, { body: `Number ${at}` });
    const page = await github.call(token, `GET ${issue}/comments?per_page=2&page=2`);
    expect(pluck(page.body, 'body')).toEqual(['Number 3', 'Number 4']);
    const links = String(page.headers.get('link'));
    expect(links).toMatch(/[?&]page=3>; rel="next"/);
    expect(links).toMatch(/[?&]page=3>; rel="last"/);
    expect(links).toMatch(/[?&]page=1>; rel="prev"/);
  });

  test('can be neither empty nor longer than GitHub allows', async () => {
    const issue = await newIssue();
    expect((await github.call(mona, `POST ${issue}/comments`, { body: ' ' })).status).toBe(422);
    expect((await github.call(mona, `POST ${issue}/comments`, {})).status).toBe(422);
    expect((await github.call(mona, `POST ${issue}/comments`, { body: 'x'.repeat(65_537) })).status).toBe(
      422,
    );
  });

  test('can be hidden through GraphQL', async () => {
    const issue = await newIssue();
    const { body: comment } = await github.call(token, `POST ${issue}/comments`, { body: 'Settled' });
    const query =
      'mutation($id: ID!) { minimizeComment(input: {subjectId: $id, classifier: OUTDATED}) { minimizedComment { isMinimized } } }';
    const { body } = await askGraphql(github, token, { query, variables: { id: comment.node_id } });
    expect(body).toMatchObject({
      data: { minimizeComment: { minimizedComment: { isMinimized: true } } },
    });
    const { issues } = (await github.emulator.state()).repos['acme/greeter'] ?? {};
    expect(issues?.at(-1)?.comments).toMatchObject([
      { author: 'specwright[bot]', body: 'Settled', minimized: 'outdated' },
    ]);
  });
});

describe('reactions', () => {
  test('of one account and kind exist once', async () => {
    const issue = await newIssue();
    const first = await github.call(token, `POST ${issue}/reactions`, { content: 'eyes' });
    const again = await github.call(token, `POST ${issue}/reactions`, { content: 'eyes' });
    expect([first.status, again.status, again.body.id]).toEqual([201, 200, first.body.id]);
    expect((await github.call(token, `GET ${issue}`)).body.reactions).toMatchObject({
      total_count: 1,
      eyes: 1,
    });
    expect((await github.call(token, `POST ${issue}/reactions`, { content: 'shrug' })).status).toBe(422);
    expect((await github.call(mona, `DELETE ${issue}/reactions/${first.body.id}`)).status).toBe(403);
    expect((await github.call(token, `DELETE ${issue}/reactions/${first.body.id}`)).status).toBe(204);
    const { body: comment } = await github.call(mona, `POST ${issue}/comments`, { body: 'Nice' });
    const path = `${REPO}/issues/comments/${comment.id}/reactions`;
    expect((await github.call(token, `POST ${path}`, { content: '+1' })).status).toBe(201);
    expect((await github.call(token, `GET ${path}`)).body).toMatchObject([{ content: '+1' }]);
  });
});

describe('permissions on issues and pull requests', () => {
  test('are told apart: pull_requests alone does not comment on an issue, but on a pull request', async () => {
    const issue = await newIssue();
    const pulls = await github.token({ permissions: { pull_requests: 'write' } });
    const issues = await github.token({ permissions: { issues: 'write' } });
    const main = (await github.call(token, `GET ${REPO}/git/ref/heads/main`)).body.object.sha;
    await github.call(token, `POST ${REPO}/git/refs`, { ref: 'refs/heads/topic', sha: main });
    await github.call(token, `PUT ${REPO}/contents/new.txt`, {
      message: 'New',
      content: 'bmV3',
      branch: 'topic',
    });
    expect(
      (await github.call(issues, `POST ${REPO}/pulls`, { title: 't', head: 'topic', base: 'main' })).status,
    ).toBe(403);
    const { body: pull } = await github.call(pulls, `POST ${REPO}/pulls`, {
      title: 't',
      head: 'topic',
      base: 'main',
    });
    expect((await github.call(pulls, `POST ${issue}/comments`, { body: 'x' })).status).toBe(403);
    expect(
      (await github.call(pulls, `POST ${REPO}/issues/${pull.number}/comments`, { body: 'x' })).status,
    ).toBe(201);
    expect(
      (await github.call(issues, `POST ${REPO}/issues/${pull.number}/comments`, { body: 'x' })).status,
    ).toBe(201);
  });
});

describe('pages', () => {
  test('show issues and pull requests with everything escaped', async () => {
    const { body } = await github.call(mona, `POST ${REPO}/issues`, {
      title: '<script>alert(1)</script>',
      body: '**Bold** <img src=x onerror=alert(1)>\n\n<details><summary>More</summary>\n\n- [x] done\n\n</details>\n<!-- hidden -->',
    });
    const page = await fetch(`${github.emulator.url}/acme/greeter/issues/${body.number}`);
    const text = await page.text();
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(text).not.toMatch(/<script|<img|hidden -->/);
    expect(text).toContain('<strong>Bold</strong>');
    expect(text).toContain('<details><summary>More</summary>');
  });

  test('exist for the repository, a branch, a file, a commit, a comparison and a pull request', async () => {
    const { body } = await github.call(token, `GET ${REPO}/git/ref/heads/main`);
    const pull = (await github.call(token, `GET ${REPO}/pulls?state=all`)).body[0].number;
    const paths = [
      '',
      '/tree/main',
      '/tree/main/src',
      '/blob/main/src/greet.js',
      `/commit/${body.object.sha}`,
      '/compare/main...topic',
      `/pull/${pull}`,
    ];
    for (const path of paths) {
      const page = await fetch(`${github.emulator.url}/acme/greeter${path}`);
      expect([path, page.status, (await page.text()).startsWith('<!doctype html>')]).toEqual([
        path,
        200,
        true,
      ]);
    }
    expect((await fetch(`${github.emulator.url}/acme/greeter/issues/9999`)).status).toBe(404);
    expect((await fetch(`${github.emulator.url}/%`)).status).toBe(404);
  });
});
