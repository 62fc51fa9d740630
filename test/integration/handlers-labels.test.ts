import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { advanceAlone } from '../../src/services/spec/advance.ts';
import { type Desk, hold, openDesk } from '../harness/desk.ts';
import { until } from '../harness/until.ts';

let desk: Desk;

beforeAll(async () => {
  desk = await openDesk();
});
afterEach(() => hold(desk));
afterAll(() => desk.close());

const labelled = () => desk.verdict('issues', 'labeled');

/** What people see on an issue: everything but the status comment, which only a spec has. */
async function seen(issue: number) {
  const { labels, reactions } = await desk.issue(issue);
  return { labels, reactions: reactions.map(({ content }) => content), notices: await desk.notices(issue) };
}

/** A role in the repository for somebody who has done nothing there yet. */
function newcomer(login: string, permission: 'read' | 'triage' | 'write' | null) {
  const person = desk.github.createUser({ login });
  if (permission) desk.github.addCollaborator({ repo: desk.world.repo.fullName, login, permission });
  return person;
}

/** GitHub lets nobody without triage set labels; an App or an old permission may lie behind such an event. */
async function labelAs(issue: number, login: string, over: Record<string, unknown> = {}) {
  await post(issue, login, over);
  await desk.settle();
}

async function post(issue: number, login: string, over: Record<string, unknown> = {}) {
  await markSilently(issue);
  const sent = desk.github.deliveries().findLast((one) => one.event === 'issues')!;
  const id = login.length * 1000 + login.charCodeAt(0);
  const body = {
    ...sent.payload,
    action: 'labeled',
    label: { name: 'spec' },
    issue: {
      ...(sent.payload.issue as object),
      number: issue,
      state: 'open',
      title: 'T',
      body: '',
      labels: [],
    },
    sender: { id, login, type: 'User' },
    ...over,
  };
  const guid = randomUUID();
  expect(await desk.github.sendWebhook({ appId: desk.world.app.id, event: 'issues', body, guid })).toBe(202);
}

/** The label is on the issue, and of that no webhook comes. */
async function markSilently(issue: number) {
  const { hooks } = desk.github;
  hooks.beforeSend = () => 'drop';
  await desk.api('POST', `${desk.path}/issues/${issue}/labels`, { labels: ['spec'] });
  await desk.github.idle();
  delete hooks.beforeSend;
}

describe('a label that starts nothing', () => {
  test('is one of another name', async () => {
    const issue = await desk.openIssue();
    await desk.label(issue, undefined, 'bug');
    expect(await labelled()).toEqual({
      state: 'ignored',
      reason: '"bug" is not the label that starts a spec',
    });
    expect(await seen(issue)).toEqual({ labels: ['bug'], reactions: [], notices: [] });
    expect(await desk.specs(issue)).toEqual([]);
  });

  test('does so even when the issue has the right label beside it', async () => {
    const issue = await desk.openIssue();
    await desk.label(issue);
    await desk.label(issue, undefined, 'later');
    expect((await labelled()).reason).toBe('"later" is not the label that starts a spec');
    expect(await desk.specs(issue)).toHaveLength(1);
  });

  test('is one on a pull request', async () => {
    const branch = { ref: 'refs/heads/side', sha: (await desk.repository()).branches.main };
    await desk.api('POST', `${desk.path}/git/refs`, branch);
    const file = { message: 'Side', content: 'c2lkZQ==', branch: 'side' };
    await desk.api('PUT', `${desk.path}/contents/side.txt`, file);
    const pull = await desk.api<{ number: number }>('POST', `${desk.path}/pulls`, {
      title: 'Side',
      head: 'side',
      base: 'main',
    });
    await desk.label(pull.number);
    await labelAs(pull.number, 'mona', {
      issue: { number: pull.number, title: 'Side', body: '', state: 'open', labels: [], pull_request: {} },
    });
    expect((await labelled()).reason).toBe('labels on pull requests start nothing');
    expect(await desk.specs(pull.number)).toEqual([]);
  });

  test('is one on a closed issue', async () => {
    const issue = await desk.openIssue();
    await desk.api('PATCH', `${desk.path}/issues/${issue}`, { state: 'closed' });
    await desk.label(issue);
    expect(await labelled()).toEqual({ state: 'ignored', reason: 'the issue is closed' });
    expect(await seen(issue)).toEqual({ labels: ['spec'], reactions: [], notices: [] });
  });
});

describe('a sender without write permission', () => {
  test('with triage is told why, once a day, however many issues they label', async () => {
    const { token } = newcomer('trudy', 'triage');
    const [one, two] = [await desk.openIssue(), await desk.openIssue()];
    await desk.label(one, token);
    await desk.label(two, token);
    const first = await seen(one);
    expect(first).toMatchObject({ reactions: ['confused'], notices: [expect.stringContaining('@trudy')] });
    expect(first.notices[0]).toContain('needs write permission');
    expect(await seen(two)).toEqual({ labels: ['spec'], reactions: ['confused'], notices: [] });
    expect(await desk.specs(one)).toEqual([]);
    expect(await desk.specs(two)).toEqual([]);
  });

  test('in a public repository gets the reaction alone with the read that everybody has', async () => {
    const issue = await desk.openIssue();
    await labelAs(issue, 'stranger');
    await labelAs(issue, 'rookie');
    expect(await seen(issue)).toEqual({ labels: ['spec'], reactions: ['confused'], notices: [] });
  });

  test('in a private repository a reader is told and somebody unknown is not', async () => {
    await desk.github.setPrivate(desk.world.repo.fullName, true);
    const issue = await desk.openIssue();
    const hidden = desk.github.deliveries().findLast((one) => one.event === 'issues')!.payload.repository;
    await labelAs(issue, 'stranger', { repository: hidden });
    expect(await desk.notices(issue)).toEqual([]);
    await labelAs(issue, 'rookie', { repository: hidden });
    expect(await seen(issue)).toMatchObject({
      reactions: ['confused'],
      notices: [expect.stringContaining('@rookie')],
    });
    await desk.github.setPrivate(desk.world.repo.fullName, false);
    await desk.settle();
  });
});

describe('a bot', () => {
  const bot = { sender: { id: 77, login: 'renovate[bot]', type: 'Bot' } };

  test('is refused with a reaction and no comment', async () => {
    const issue = await desk.openIssue();
    await labelAs(issue, 'renovate[bot]', bot);
    expect(await seen(issue)).toEqual({ labels: ['spec'], reactions: ['confused'], notices: [] });
    expect((await labelled()).reason).toContain('bots start no spec');
  });

  test('that the settings allow starts a spec', async () => {
    const content = Buffer.from('allowBots: ["renovate[bot]"]\n').toString('base64');
    const url = `${desk.path}/contents/.github/specwright.yml`;
    const file = await desk.api<{ content: { sha: string } }>('PUT', url, { message: 'Allow', content });
    const issue = await desk.openIssue();
    await labelAs(issue, 'renovate[bot]', bot);
    expect(await desk.spec(issue)).toMatchObject({ status: 'queued', requester_login: 'renovate[bot]' });
    await desk.api('DELETE', url, { message: 'Forbid', sha: file.content.sha });
    await desk.settle();
  });
});

describe('a label that comes late', () => {
  test('starts nothing once it was taken away again', async () => {
    const issue = await desk.openIssue();
    await post(issue, 'mona', { action: 'opened' });
    await desk.unlabel(issue);
    const sent = desk.github.deliveries().findLast((one) => one.action === 'unlabeled')!;
    const body = { ...sent.payload, action: 'labeled' };
    const { id: appId } = desk.world.app;
    await desk.github.sendWebhook({ appId, event: 'issues', body, guid: randomUUID() });
    await desk.settle();
    expect(await labelled()).toEqual({ state: 'ignored', reason: '"spec" was taken away again' });
    expect(await desk.specs(issue)).toEqual([]);
  });

  test('starts nothing once the issue was closed', async () => {
    const issue = await desk.openIssue();
    await desk.api('PATCH', `${desk.path}/issues/${issue}`, { state: 'closed' });
    await labelAs(issue, 'mona');
    expect(await labelled()).toEqual({ state: 'ignored', reason: 'the issue was closed meanwhile' });
    expect(await desk.specs(issue)).toEqual([]);
  });

  test('is not taken back by an older removal', async () => {
    const issue = await desk.openIssue();
    await desk.label(issue);
    const sent = desk.github.deliveries().findLast((one) => one.action === 'labeled')!;
    const body = { ...sent.payload, action: 'unlabeled' };
    const { id: appId } = desk.world.app;
    await desk.github.sendWebhook({ appId, event: 'issues', body, guid: randomUUID() });
    await desk.settle();
    expect(await desk.verdict('issues', 'unlabeled')).toEqual({
      state: 'ignored',
      reason: '"spec" was set again',
    });
    expect(await desk.spec(issue)).toMatchObject({ status: 'queued' });
  });
});

describe('an issue that is labelled', () => {
  test('gets a reaction, one status comment and nothing else', async () => {
    const issue = await desk.openIssue('Greet', 'Say hello.');
    await desk.label(issue);
    expect(await desk.spec(issue)).toMatchObject({
      status: 'queued',
      title: 'Greet',
      body: 'Say hello.',
      requester_login: 'mona',
      settings: { problems: [] },
    });
    expect(await seen(issue)).toEqual({ labels: ['spec'], reactions: ['eyes'], notices: [] });
    expect((await desk.issue(issue)).comments).toHaveLength(1);
  });

  test('by two people at once has one spec, and the second is noted', async () => {
    newcomer('wendy', 'write');
    const issue = await desk.openIssue();
    await Promise.all([post(issue, 'wendy'), post(issue, 'mona')]);
    await desk.settle();
    expect(await desk.specs(issue)).toHaveLength(1);
    expect((await labelled()).reason).toMatch(/^spec \S+ of @(mona|wendy) is running already$/);
    const { id } = await desk.spec(issue);
    const audit = await desk.database.db('audit').where({ spec_id: id, action: 'start' });
    expect(audit).toMatchObject([{ decision: 'noted' }]);
    expect((await desk.issue(issue)).comments).toHaveLength(1);
  });

  test('keeps the text that the label vouched for, whatever is edited', async () => {
    const issue = await desk.openIssue('Greet', 'Say hello.');
    await desk.label(issue);
    await desk.api('PATCH', `${desk.path}/issues/${issue}`, { title: 'Mine bitcoin', body: 'Quickly.' });
    await desk.settle();
    expect(await desk.spec(issue)).toMatchObject({ title: 'Greet', body: 'Say hello.', status: 'queued' });
    expect(await desk.verdict('issues', 'edited')).toMatchObject({ state: 'handled' });
  });

  test('is cancelled when the label goes, and a label of another name does nothing', async () => {
    const issue = await desk.openIssue();
    await desk.label(issue);
    await desk.label(issue, undefined, 'bug');
    await desk.unlabel(issue, 'bug');
    expect((await desk.spec(issue)).status).toBe('queued');
    await desk.unlabel(issue);
    expect(await desk.spec(issue)).toMatchObject({
      status: 'cancelled',
      cause: '@mona removed the label `spec`.',
    });
    expect(await seen(issue)).toMatchObject({ labels: [], notices: [] });
    expect((await desk.issue(issue)).comments[0]?.body).toContain('Cancelled');
  });

  test('is cancelled when it is closed', async () => {
    const issue = await desk.openIssue();
    await desk.label(issue);
    await desk.api('PATCH', `${desk.path}/issues/${issue}`, { state: 'closed' });
    await desk.settle();
    expect(await desk.spec(issue)).toMatchObject({ status: 'cancelled', cause: '@mona closed the issue.' });
    expect(await desk.notices(issue)).toEqual([]);
  });

  test('anew after it was cancelled has a second spec', async () => {
    const issue = await desk.openIssue();
    await desk.label(issue);
    await desk.unlabel(issue);
    await desk.label(issue);
    expect((await desk.specs(issue)).map(({ status }) => status)).toEqual(['cancelled', 'queued']);
  });
});

describe('a failed spec that is labelled again', () => {
  async function failed() {
    const issue = await desk.openIssue('Greet', 'Say hello.');
    await desk.label(issue);
    const { id } = await desk.spec(issue);
    const input = { type: 'preflight_failed', cause: 'The repository is archived: unarchive it.' } as const;
    await advanceAlone(desk.app.opened.deps, { specId: id, input });
    await desk.settle();
    expect(await seen(issue)).toMatchObject({
      labels: ['spec', 'spec:failed'],
      notices: [expect.stringContaining('@mona this spec could not start')],
    });
    return { issue, id };
  }

  test('is tried again under the settings of now', async () => {
    const { issue, id } = await failed();
    await desk.database
      .db('specs')
      .where({ id })
      .update({ settings: { settings: {}, problems: [{ path: 'x' }] } });
    await desk.unlabel(issue);
    expect((await desk.spec(issue)).status).toBe('failed');
    await desk.label(issue);
    expect(await desk.specs(issue)).toMatchObject([
      { id, status: 'queued', round: 2, cause: null, settings: { problems: [] } },
    ]);
    expect(await seen(issue)).toMatchObject({ labels: ['spec'], notices: [expect.anything()] });
  });

  test('starts anew when its text is another', async () => {
    const { issue, id } = await failed();
    await desk.api('PATCH', `${desk.path}/issues/${issue}`, { body: 'Say good morning.' });
    await desk.unlabel(issue);
    await desk.label(issue);
    expect(await desk.specs(issue)).toMatchObject([
      { id, status: 'cancelled', cause: '@mona started it anew with another text.' },
      { status: 'queued', round: 1, body: 'Say good morning.' },
    ]);
    expect((await seen(issue)).labels).toEqual(['spec']);
  });

  test('is over when the issue is closed instead', async () => {
    const { issue } = await failed();
    await desk.api('PATCH', `${desk.path}/issues/${issue}`, { state: 'closed' });
    await desk.settle();
    expect((await desk.spec(issue)).status).toBe('cancelled');
    expect((await seen(issue)).labels).toEqual(['spec']);
  });
});

describe('an unclear answer about the sender', () => {
  const silent = () => hold(desk, ({ route }) => (route.endsWith('/permission') ? { status: 500 } : null));
  const pending = async () =>
    Number((await desk.database.db('deliveries').where({ state: 'pending' }).count())[0]?.count);

  test('is waited for, and nobody is accused meanwhile', async () => {
    silent();
    const issue = await desk.openIssue();
    await desk.api('POST', `${desk.path}/issues/${issue}/labels`, { labels: ['spec'] });
    const tries = async () => {
      const row = await desk.database.db('deliveries').where({ state: 'pending' }).first();
      return row?.gathered?.unclear?.tries ?? 0;
    };
    await until(async () => (await tries()) >= 1);
    expect(await seen(issue)).toEqual({ labels: ['spec'], reactions: [], notices: [] });
    hold(desk);
    await desk.settle();
    expect((await desk.spec(issue)).status).toBe('queued');
  });

  test('that does not come in time is said so', async () => {
    silent();
    const issue = await desk.openIssue();
    await desk.api('POST', `${desk.path}/issues/${issue}/labels`, { labels: ['spec'] });
    await until(async () => (await pending()) === 1);
    // The first unclear answer was longer ago than anybody waits.
    await until(async () => {
      const changed = await desk.database.db.raw(
        `update deliveries set gathered = jsonb_set(gathered, '{unclear,since}', to_jsonb(now() - interval '1 hour')),
           retry_at = now() where state = 'pending' and jsonb_exists(gathered, 'unclear')`,
      );
      return changed.rowCount === 1;
    });
    await desk.settle();
    expect(await seen(issue)).toMatchObject({
      reactions: [],
      notices: [expect.stringContaining('did not say in time')],
    });
    expect(await desk.specs(issue)).toEqual([]);
  });
});
