import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type Desk, hold, openDesk } from '../harness/desk.ts';
import { type Labeller, labellerAt } from '../harness/labeller.ts';
import { until } from '../harness/until.ts';

let desk: Desk;
let labeller: Labeller;

beforeAll(async () => {
  desk = await openDesk();
  labeller = labellerAt(desk);
});
afterEach(() => hold(desk));
afterAll(() => desk.close());

describe('a label that starts nothing', () => {
  test('is one of another name', async () => {
    const issue = await desk.openIssue();
    await desk.label(issue, undefined, 'bug');
    expect(await labeller.labelled()).toEqual({
      state: 'ignored',
      reason: '"bug" is not the label that starts a spec',
    });
    expect(await labeller.seen(issue)).toEqual({ labels: ['bug'], reactions: [], notices: [] });
    expect(await desk.specs(issue)).toEqual([]);
  });

  test('does so even when the issue has the right label beside it', async () => {
    const issue = await desk.openIssue();
    await desk.label(issue);
    await desk.label(issue, undefined, 'later');
    expect((await labeller.labelled()).reason).toBe('"later" is not the label that starts a spec');
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
    await labeller.labelAs(pull.number, 'mona', {
      issue: { number: pull.number, title: 'Side', body: '', state: 'open', labels: [], pull_request: {} },
    });
    expect((await labeller.labelled()).reason).toBe('labels on pull requests start nothing');
    expect(await desk.specs(pull.number)).toEqual([]);
  });

  test('is one on a closed issue', async () => {
    const issue = await desk.openIssue();
    await desk.api('PATCH', `${desk.path}/issues/${issue}`, { state: 'closed' });
    await desk.label(issue);
    expect(await labeller.labelled()).toEqual({ state: 'ignored', reason: 'the issue is closed' });
    expect(await labeller.seen(issue)).toEqual({ labels: ['spec'], reactions: [], notices: [] });
  });
});

describe('a sender without write permission', () => {
  test('with triage is told why, once a day, however many issues they label', async () => {
    const { token } = labeller.newcomer('trudy', 'triage');
    const [one, two] = [await desk.openIssue(), await desk.openIssue()];
    await desk.label(one, token);
    await desk.label(two, token);
    const first = await labeller.seen(one);
    expect(first).toMatchObject({ reactions: ['confused'], notices: [expect.stringContaining('@trudy')] });
    expect(first.notices[0]).toContain('needs write permission');
    expect(await labeller.seen(two)).toEqual({ labels: ['spec'], reactions: ['confused'], notices: [] });
    expect(await desk.specs(one)).toEqual([]);
    expect(await desk.specs(two)).toEqual([]);
  });

  test('in a public repository gets the reaction alone with the read that everybody has', async () => {
    const issue = await desk.openIssue();
    await labeller.labelAs(issue, 'stranger');
    await labeller.labelAs(issue, 'rookie');
    expect(await labeller.seen(issue)).toEqual({ labels: ['spec'], reactions: ['confused'], notices: [] });
  });

  test('in a private repository a reader is told and somebody unknown is not', async () => {
    await desk.github.setPrivate(desk.world.repo.fullName, true);
    const issue = await desk.openIssue();
    const hidden = desk.github.deliveries().findLast((one) => one.event === 'issues')!.payload.repository;
    await labeller.labelAs(issue, 'stranger', { repository: hidden });
    expect(await desk.notices(issue)).toEqual([]);
    await labeller.labelAs(issue, 'rookie', { repository: hidden });
    expect(await labeller.seen(issue)).toMatchObject({
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
    await labeller.labelAs(issue, 'renovate[bot]', bot);
    expect(await labeller.seen(issue)).toEqual({ labels: ['spec'], reactions: ['confused'], notices: [] });
    expect((await labeller.labelled()).reason).toContain('bots start no spec');
  });

  test('that the settings allow starts a spec', async () => {
    const content = Buffer.from('allowBots: ["renovate[bot]"]\n').toString('base64');
    const url = `${desk.path}/contents/.github/specwright.yml`;
    const file = await desk.api<{ content: { sha: string } }>('PUT', url, { message: 'Allow', content });
    const issue = await desk.openIssue();
    await labeller.labelAs(issue, 'renovate[bot]', bot);
    expect(await desk.spec(issue)).toMatchObject({ status: 'queued', requester_login: 'renovate[bot]' });
    await desk.api('DELETE', url, { message: 'Forbid', sha: file.content.sha });
    await desk.settle();
  });
});

describe('a label that comes late', () => {
  test('starts nothing once it was taken away again', async () => {
    const issue = await desk.openIssue();
    await labeller.post(issue, 'mona', { action: 'opened' });
    await desk.unlabel(issue);
    const sent = desk.github.deliveries().findLast((one) => one.action === 'unlabeled')!;
    const body = { ...sent.payload, action: 'labeled' };
    const { id: appId } = desk.world.app;
    await desk.github.sendWebhook({ appId, event: 'issues', body, guid: randomUUID() });
    await desk.settle();
    expect(await labeller.labelled()).toEqual({ state: 'ignored', reason: '"spec" was taken away again' });
    expect(await desk.specs(issue)).toEqual([]);
  });

  test('starts nothing once the issue was closed', async () => {
    const issue = await desk.openIssue();
    await desk.api('PATCH', `${desk.path}/issues/${issue}`, { state: 'closed' });
    await labeller.labelAs(issue, 'mona');
    expect(await labeller.labelled()).toEqual({ state: 'ignored', reason: 'the issue was closed meanwhile' });
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
    expect(await labeller.seen(issue)).toEqual({ labels: ['spec'], reactions: [], notices: [] });
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
    expect(await labeller.seen(issue)).toMatchObject({
      reactions: [],
      notices: [expect.stringContaining('did not say in time')],
    });
    expect(await desk.specs(issue)).toEqual([]);
  });
});
