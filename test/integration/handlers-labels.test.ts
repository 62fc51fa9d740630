import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { advanceAlone } from '../../src/services/spec/advance.ts';
import { type Desk, openDesk } from '../harness/desk.ts';
import { type Labeller, labellerAt } from '../harness/labeller.ts';

let desk: Desk;
let labeller: Labeller;

beforeAll(async () => {
  desk = await openDesk();
  labeller = labellerAt(desk);
});
afterAll(() => desk.close());

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
    expect(await labeller.seen(issue)).toEqual({ labels: ['spec'], reactions: ['eyes'], notices: [] });
    expect((await desk.issue(issue)).comments).toHaveLength(1);
  });

  test('by two people at once has one spec, and the second is noted', async () => {
    labeller.newcomer('wendy', 'write');
    const issue = await desk.openIssue();
    await Promise.all([labeller.post(issue, 'wendy'), labeller.post(issue, 'mona')]);
    await desk.settle();
    expect(await desk.specs(issue)).toHaveLength(1);
    expect((await labeller.labelled()).reason).toMatch(/^spec \S+ of @(mona|wendy) is running already$/);
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
    expect(await labeller.seen(issue)).toMatchObject({ labels: [], notices: [] });
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
    expect(await labeller.seen(issue)).toMatchObject({
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
    expect(await labeller.seen(issue)).toMatchObject({ labels: ['spec'], notices: [expect.anything()] });
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
    expect((await labeller.seen(issue)).labels).toEqual(['spec']);
  });

  test('is over when the issue is closed instead', async () => {
    const { issue } = await failed();
    await desk.api('PATCH', `${desk.path}/issues/${issue}`, { state: 'closed' });
    await desk.settle();
    expect((await desk.spec(issue)).status).toBe('cancelled');
    expect((await labeller.seen(issue)).labels).toEqual(['spec']);
  });
});
