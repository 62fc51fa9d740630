import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { StaleError } from '../../src/errors.ts';
import { handlers } from '../../src/handlers/index.ts';
import { type Desk, openDesk } from '../harness/desk.ts';

let desk: Desk;

beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk.close());

async function labelled(): Promise<number> {
  const issue = await desk.openIssue();
  await desk.label(issue);
  return issue;
}

/** An issue whose spec waits for the review of a pull request that a person opened. */
async function reviewed() {
  const issue = await labelled();
  return { issue, pull: await desk.review(issue) };
}

const patch = (pull: number, change: object) => desk.api('PATCH', `${desk.path}/pulls/${pull}`, change);

/** Comments of ours that are new since the pull request was there; all it may bring is the one that says so. */
const notices = async (issue: number) =>
  (await desk.notices(issue)).filter((body) => !body.includes('is ready for your'));

describe('the pull request of a spec', () => {
  test('is adopted when a person opens it from the branch', async () => {
    const { issue, pull } = await reviewed();
    expect(await desk.spec(issue)).toMatchObject({ status: 'in_review', pull_request_number: pull });
    expect((await desk.issue(issue)).labels).toEqual(['spec', 'spec:in-review']);
    expect(await desk.notices(issue)).toEqual([expect.stringContaining(`pull/${pull}`)]);
  });

  test('of a fork with a branch of the same name is none of ours', async () => {
    const issue = await labelled();
    const branch = await desk.publish(issue);
    const sent = desk.github.deliveries().findLast((one) => one.event === 'pull_request')!;
    const payload = sent.payload as { pull_request: { head: object } };
    const head = { ...payload.pull_request.head, ref: branch, repo: { id: 1 } };
    const body = {
      ...payload,
      action: 'opened',
      pull_request: { ...payload.pull_request, number: 9999, head },
    };
    const guid = '00000000-0000-4000-8000-000000000001';
    await desk.github.sendWebhook({ appId: desk.world.app.id, event: 'pull_request', body, guid });
    await desk.settle();
    expect((await desk.spec(issue)).status).toBe('publishing');
    expect(await desk.verdict('pull_request', 'opened')).toEqual({
      state: 'ignored',
      reason: 'the pull request belongs to no spec',
    });
  });

  test('that is pushed to is followed', async () => {
    const { issue } = await reviewed();
    const { branch_name: branch } = await desk.spec(issue);
    const file = { message: 'More', content: 'bW9yZQ==', branch };
    await desk.api('PUT', `${desk.path}/contents/more.txt`, file);
    await desk.settle();
    expect((await desk.spec(issue)).head_sha).toBe((await desk.repository()).branches[branch!]);
    expect(await desk.verdict('pull_request', 'synchronize')).toMatchObject({ state: 'handled' });
  });

  test('that is closed ends the spec and leaves the branch; reopened, it is followed again and can be merged', async () => {
    const { issue, pull } = await reviewed();
    await patch(pull, { state: 'closed' });
    await desk.settle();
    const closed = await desk.spec(issue);
    expect(closed).toMatchObject({
      status: 'closed',
      cause: '@mona closed the pull request without merging it.',
    });
    expect((await desk.issue(issue)).labels).toEqual(['spec']);
    expect(Object.keys((await desk.repository()).branches)).toContain(closed.branch_name);
    await patch(pull, { state: 'open' });
    await desk.settle();
    expect(await desk.spec(issue)).toMatchObject({ status: 'in_review', round: 2, cause: null });
    expect((await desk.issue(issue)).labels).toEqual(['spec', 'spec:in-review']);
    await desk.api('PUT', `${desk.path}/pulls/${pull}/merge`, {});
    await desk.settle();
    expect(await desk.spec(issue)).toMatchObject({ status: 'merged' });
    expect(Object.keys((await desk.repository()).branches)).not.toContain(closed.branch_name);
    expect((await desk.issue(issue)).labels).toEqual(['spec']);
    expect(await notices(issue)).toEqual([]);
  });

  test('that is reopened beside a newer spec of its issue leaves both as they are', async () => {
    const { issue, pull } = await reviewed();
    await patch(pull, { state: 'closed' });
    // Issue and pull request are lanes of their own: what closes the spec has to be decided first.
    await desk.settle();
    await desk.unlabel(issue);
    await desk.label(issue);
    await desk.settle();
    await patch(pull, { state: 'open' });
    await desk.settle();
    expect((await desk.specs(issue)).map(({ status }) => status)).toEqual(['closed', 'queued']);
    expect((await desk.verdict('pull_request', 'reopened')).reason).toContain('the issue has the newer spec');
  });

  test('whose branch is deleted is closed by GitHub, and so is the spec', async () => {
    const { issue } = await reviewed();
    const { branch_name: branch } = await desk.spec(issue);
    await desk.api('DELETE', `${desk.path}/git/refs/heads/${branch}`);
    await desk.settle();
    expect((await desk.spec(issue)).status).toBe('closed');
    expect(await desk.verdict('delete', null)).toMatchObject({ state: 'handled' });
  });
});

describe('a merge, which closes the issue too', () => {
  test.each(['pull_request_first', 'issues_first'] as const)('ends as merged with %s', async (order) => {
    desk.github.hooks.mergeOrder = order;
    const { issue, pull } = await reviewed();
    const { branch_name: branch, id } = await desk.spec(issue);
    await desk.api('PUT', `${desk.path}/pulls/${pull}/merge`, {});
    await desk.settle();
    const merged = await desk.spec(issue);
    expect(merged).toMatchObject({
      status: 'merged',
      cause: null,
      merge_sha: expect.stringMatching(/^[0-9a-f]{40}$/),
    });
    expect((await desk.issue(issue)).state).toBe('closed');
    expect(Object.keys((await desk.repository()).branches)).not.toContain(branch);
    const events = await desk.database.db('spec_events').where({ spec_id: id }).orderBy('seq');
    expect(events.map(({ type }) => type).filter((type) => /merged|cancelled|closed/.test(type))).toEqual([
      'spec.merged',
    ]);
    expect(await notices(issue)).toEqual([]);
    desk.github.hooks.mergeOrder = 'pull_request_first';
  });

  test('counts although the label was taken away before', async () => {
    const { issue, pull } = await reviewed();
    await desk.unlabel(issue);
    expect((await desk.spec(issue)).status).toBe('cancelled');
    await desk.api('PUT', `${desk.path}/pulls/${pull}/merge`, {});
    await desk.settle();
    expect((await desk.spec(issue)).status).toBe('merged');
  });
});

describe('an issue that is closed', () => {
  test('while its pull request is open leaves the spec to that', async () => {
    const { issue } = await reviewed();
    await desk.api('PATCH', `${desk.path}/issues/${issue}`, { state: 'closed' });
    await desk.settle();
    expect((await desk.spec(issue)).status).toBe('in_review');
    expect((await desk.verdict('issues', 'closed')).reason).toMatch(/^pull request #\d+ is open/);
    expect(await notices(issue)).toEqual([]);
  });

  test('is asked about again when the pull request came between the questions and the decision', async () => {
    const { issue } = await reviewed();
    const { deps } = desk.app.opened;
    const sent = desk.github.deliveries().findLast((one) => one.event === 'issues')!;
    const handler = handlers['issues.closed'];
    const payload = handler.payload.parse(sent.payload);
    const decided = deps.db.transaction((trx) =>
      handler.decide(deps, { trx, delivery: null }, { payload, gathered: {} }),
    );
    await expect(decided).rejects.toBeInstanceOf(StaleError);
    expect((await desk.spec(issue)).status).toBe('in_review');
  });
});

test('a deleted branch of no spec is ignored', async () => {
  const sha = (await desk.repository()).branches.main;
  await desk.api('POST', `${desk.path}/git/refs`, { ref: 'refs/heads/other', sha });
  await desk.api('DELETE', `${desk.path}/git/refs/heads/other`);
  await desk.settle();
  expect(await desk.verdict('delete', null)).toEqual({
    state: 'ignored',
    reason: 'the branch belongs to no spec',
  });
});

test('every delivery ended with a reason, and none was parked', async () => {
  const rows = await desk.database.db('deliveries').whereNotIn('state', ['handled', 'ignored']);
  expect(rows.map(({ event, action, state, reason }) => ({ event, action, state, reason }))).toEqual([]);
});
