import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Fault, RequestRecord } from '../../src/emulator/emulator.ts';
import { type Desk, hold, openDesk } from '../harness/desk.ts';
import {
  askForBranch,
  branchesOf,
  commitTo,
  finishedSpec,
  mainOf,
  makeBranch,
  queuedSpec,
} from '../harness/queued-spec.ts';
import { until } from '../harness/until.ts';

let desk: Desk;

beforeAll(async () => {
  desk = await openDesk();
});
afterEach(() => {
  desk.github.setRules(desk.world.repo.fullName, []);
  hold(desk);
});
afterAll(() => desk.close());

const strike = (fault: (request: RequestRecord) => Fault | null) => {
  desk.github.hooks.onRequest = fault;
};

const isPullRequest = ({ method, path, actor }: RequestRecord) =>
  method === 'POST' && path.endsWith('/pulls') && actor.kind === 'installation';

/** Strikes the first write of each kind, and each comment on the issue: status, plan, call for a review. */
function losing(fault: Fault) {
  const lost: string[] = [];
  const answer = (request: RequestRecord): Fault | null => {
    const { method, path, actor } = request;
    if (method !== 'POST' || actor.kind !== 'installation') return null;
    const kind = path.replace(/^.*\/(reactions|comments|refs|pulls|labels)$/, '$1');
    const most = kind === 'comments' ? 3 : 1;
    // The one behind a lost one goes through, or nothing would ever be seen of it.
    const seen = lost.filter((one) => one === kind).length;
    if (kind === path || seen >= most) return null;
    lost.push(kind);
    return fault;
  };
  return { lost, answer };
}

describe('an answer that is lost after GitHub did what it was asked', () => {
  test.each([
    ['is a 502', { after: 502 }],
    ['is a connection that is cut', { after: 'reset' }],
  ] as const)('%s: of everything there is one', async (_name, fault) => {
    const { lost, answer } = losing(fault);
    strike(answer);
    const issue = await desk.openIssue();
    await desk.api('POST', `${desk.path}/issues/${issue}/labels`, { labels: ['spec'] });
    const spec = await desk.reaches(issue, 'in_review');
    await desk.settle();
    const { comments, reactions, labels } = await desk.issue(issue);
    const kinds = comments.map(
      ({ body }) => /effect=spec\S+?%2F(status|publish_artifacts|notify)/.exec(body)?.[1],
    );
    expect(kinds).toHaveLength(3);
    expect(new Set(kinds)).toEqual(new Set(['notify', 'publish_artifacts', 'status']));
    expect(reactions.map(({ content }) => content)).toEqual(['eyes']);
    expect(labels).toEqual(['spec', 'spec:in-review']);
    const { pulls } = await desk.repository();
    expect(pulls.filter(({ head }) => head.ref === spec.branch_name)).toHaveLength(1);
    expect(await branchesOf(desk, spec)).toEqual([spec.branch_name]);
    expect(lost.toSorted()).toEqual([
      'comments',
      'comments',
      'comments',
      'labels',
      'pulls',
      'reactions',
      'refs',
    ]);
  });
});

describe('the branch', () => {
  test('lives beside a branch called "spec" under a name that git can hold there', async () => {
    const { spec, branch } = await queuedSpec(desk);
    for (const name of Object.keys((await desk.repository()).branches)) {
      if (name.startsWith('spec/')) await desk.api('DELETE', `${desk.path}/git/refs/heads/${name}`);
    }
    await makeBranch(desk, 'spec', await mainOf(desk));
    await askForBranch(desk, spec);
    const name = branch.replace('spec/', 'spec-');
    expect(await branchesOf(desk, spec)).toEqual([name]);
    const events = await desk.database.db('spec_events').where({ spec_id: spec.id });
    expect(events).toMatchObject([
      { type: 'spec.branch_created', payload: { name, sha: await mainOf(desk) } },
    ]);
    await desk.api('DELETE', `${desk.path}/git/refs/heads/spec`);
  });

  test('gets a suffix where its name is somebody else’s, which is left alone', async () => {
    const { issue, spec, branch } = await queuedSpec(desk);
    await makeBranch(desk, branch, await mainOf(desk));
    await commitTo(desk, branch, 'theirs.txt');
    const theirs = (await desk.repository()).branches[branch];
    await askForBranch(desk, spec);
    expect((await desk.spec(issue)).branch_name).toBe(`${branch}-2`);
    expect((await desk.repository()).branches[branch]).toBe(theirs);
    expect(await branchesOf(desk, spec)).toEqual([branch, `${branch}-2`]);
  });

  test('is not made for a spec that is over', async () => {
    const { issue, spec } = await queuedSpec(desk);
    await desk.unlabel(issue);
    await askForBranch(desk, await desk.spec(issue));
    expect(await branchesOf(desk, spec)).toEqual([]);
  });

  test('to which a person pushed is not overwritten: the pull request fails, and a retry says so again', async () => {
    const { issue, branch, publish } = await finishedSpec(desk);
    await commitTo(desk, branch, 'by-hand.txt');
    const theirs = (await desk.repository()).branches[branch];
    await publish();
    expect(await desk.reaches(issue, 'pr_failed')).toMatchObject({
      cause: `Somebody pushed to \`${branch}\`, and their commits are not overwritten.`,
    });
    await desk.settle();
    expect(await desk.notices(issue)).toEqual([
      expect.stringMatching(/^@mona .*their commits are not overwritten/s),
    ]);
    await desk.unlabel(issue);
    expect((await desk.spec(issue)).status).toBe('pr_failed');
    await desk.label(issue);
    await until(async () => (await desk.notices(issue)).length === 2);
    expect(await desk.spec(issue)).toMatchObject({ status: 'pr_failed', round: 2 });
    expect((await desk.repository()).branches[branch]).toBe(theirs);
    // A person takes it from here: their own pull request from the branch is followed.
    await desk.api('POST', `${desk.path}/pulls`, { title: 'By hand', head: branch, base: 'main' });
    expect(await desk.reaches(issue, 'in_review')).toMatchObject({ cause: null });
  });
});

describe('a pull request that GitHub refuses', () => {
  test('is tried for an hour, then given up with the cause, and opened when the label is set again', async () => {
    const { issue, spec, effect, publish } = await finishedSpec(desk);
    const body = { message: 'Validation Failed', errors: [{ message: 'Pull requests are disabled here.' }] };
    hold(desk, (request) => (isPullRequest(request) ? { status: 422, body } : null));
    await publish();
    await until(async () => String((await effect())?.last_error).includes('disabled here'));
    expect((await desk.spec(issue)).status).toBe('publishing');
    // An hour has passed since it was asked for.
    await desk.database.db.raw(
      `update effects set created_at = created_at - interval '61 minutes' where effect_key = ?`,
      [(await effect()).effect_key],
    );
    const failed = await desk.reaches(issue, 'pr_failed');
    expect(failed.cause).toContain('Pull requests are disabled here.');
    await desk.settle();
    const [notice, ...more] = await desk.notices(issue);
    expect(notice).toMatch(/^@mona .*did not let the pull request be opened/s);
    expect(notice).toContain(`/compare/main...${failed.branch_name}`);
    expect(notice).toContain('remove the label `spec` and set it once more');
    expect(more).toEqual([]);
    hold(desk);
    await desk.unlabel(issue);
    await desk.label(issue);
    await desk.reaches(issue, 'in_review');
    const { pulls } = await desk.repository();
    expect(pulls.filter(({ head }) => head.ref === failed.branch_name)).toHaveLength(1);
    const events = await desk.database.db('spec_events').where({ spec_id: spec.id }).orderBy('seq');
    expect(events.map(({ type, attempt }) => [type, attempt])).toEqual([
      ['spec.branch_created', 1],
      ['spec.phase_failed', 1],
      ['spec.phase_started', 1001],
      ['spec.phase_completed', 1001],
      ['spec.pr_created', 2],
    ]);
  });

  test('since somebody opened one in that moment is that one', async () => {
    const { issue, branch, effect, publish } = await finishedSpec(desk);
    hold(desk, (request) => (isPullRequest(request) ? { status: 422, body: { message: 'Failed' } } : null));
    await publish();
    await until(async () => (await effect())?.last_error);
    desk.github.hooks.beforeSend = ({ event }) => (event === 'pull_request' ? 'drop' : 'send');
    const mine = { title: 'Mine', head: branch, base: 'main' };
    const { number } = await desk.api<{ number: number }>('POST', `${desk.path}/pulls`, mine);
    hold(desk);
    expect(await desk.reaches(issue, 'in_review')).toMatchObject({ pull_request_number: number });
    desk.github.hooks.beforeSend = undefined;
  });

  test('is not opened for a spec that was cancelled meanwhile', async () => {
    const { issue, spec, effect, publish } = await finishedSpec(desk);
    hold(desk, (request) => (isPullRequest(request) ? { status: 500 } : null));
    await publish();
    await until(async () => (await effect())?.last_error);
    await desk.api('DELETE', `${desk.path}/issues/${issue}/labels/spec`);
    await desk.reaches(issue, 'cancelled');
    hold(desk);
    await desk.settle();
    expect((await effect()).external_id).toContain('not needed');
    const { pulls } = await desk.repository();
    expect(pulls.filter(({ head }) => head.ref.includes(spec.id.slice(0, 8)))).toEqual([]);
  });
});

describe('after a merge the branch is kept', () => {
  const fate = async (issue: number) => {
    const { id } = await desk.spec(issue);
    return (await desk.database.db('effects').where({ spec_id: id, kind: 'delete_branch' }).first())
      ?.external_id;
  };

  async function merged(before: (branch: string, pull: number) => Promise<unknown>) {
    const issue = await desk.openIssue();
    await desk.label(issue);
    const pull = await desk.review(issue);
    const { branch_name: branch } = await desk.spec(issue);
    hold(desk, ({ method, path }) =>
      method === 'GET' && path.includes('/branches/') && !path.includes('/rules/') ? { status: 500 } : null,
    );
    await desk.api('PUT', `${desk.path}/pulls/${pull}/merge`, {});
    await desk.reaches(issue, 'merged');
    await before(branch!, pull);
    hold(desk);
    await desk.settle();
    const kept = branch! in (await desk.repository()).branches;
    return { fate: await fate(issue), kept, status: (await desk.issue(issue)).comments[0]!.body };
  }

  test('when a rule protects it', async () => {
    const rules = [{ type: 'deletion', branches: ['spec/**'] }];
    const after = await merged(async () => desk.github.setRules(desk.world.repo.fullName, rules));
    expect(after).toMatchObject({ fate: 'kept: it is protected', kept: true });
    expect(after.status).toContain('it is protected');
  });

  test('when it has commits that were not merged', async () => {
    const after = await merged((branch) => commitTo(desk, branch, 'late.txt'));
    expect(after).toMatchObject({ fate: expect.stringContaining('not in the pull request'), kept: true });
  });

  test('when another pull request goes into it', async () => {
    const after = await merged(async (branch) => {
      await makeBranch(desk, `on-top-${branch.slice(5, 13)}`, (await desk.repository()).branches[branch]!);
      await commitTo(desk, `on-top-${branch.slice(5, 13)}`, 'top.txt');
      const head = `on-top-${branch.slice(5, 13)}`;
      await desk.api('POST', `${desk.path}/pulls`, { title: 'On top', head, base: branch });
    });
    expect(after).toMatchObject({
      fate: expect.stringMatching(/^kept: pull request #\d+ uses it/),
      kept: true,
    });
  });

  test('unless it is gone already', async () => {
    const after = await merged((branch) => desk.api('DELETE', `${desk.path}/git/refs/heads/${branch}`));
    expect(after).toMatchObject({ fate: 'gone already', kept: false });
    expect(after.status).toContain('(deleted)');
  });
});
