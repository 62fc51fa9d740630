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
  ({ project, pull, head } = await openPull({ github, token }, { 'one.txt': 'uno\n' }));
});

afterAll(() => github.close());

/** What GitHub says of the merge: at first nothing, then what it has worked out. */
async function mergeState(): Promise<[boolean | null, string]> {
  await github.call(token, `GET ${pull}`);
  const { body } = await github.call(token, `GET ${pull}`);
  return [body.mergeable, body.mergeable_state];
}

function check(conclusion: string | null, name = 'build'): Promise<Answer> {
  const state = conclusion === null ? { status: 'in_progress' } : { conclusion };
  return github.call(token, `POST ${project.path}/check-runs`, { name, head_sha: head, ...state });
}

function status(state: string): Promise<Answer> {
  return github.call(mona, `POST ${project.path}/statuses/${head}`, { state, context: 'ci/lint' });
}

function rule(type: string, parameters: Record<string, unknown>): void {
  github.emulator.setRules(project.fullName, [{ type, parameters }]);
}

describe('whether a pull request can be merged', () => {
  test('is not known before somebody asks, and again after either branch has moved', async () => {
    const seen = async () => {
      const { body } = await github.call(token, `GET ${pull}`);
      return [body.mergeable, body.mergeable_state];
    };
    expect([await seen(), await seen()]).toEqual([
      [null, 'unknown'],
      [true, 'clean'],
    ]);
    await project.put('main', 'two.txt', 'zwei\n');
    expect([await seen(), await seen()]).toEqual([
      [null, 'unknown'],
      [true, 'clean'],
    ]);
    github.emulator.hooks.mergeableAfterMs = 5000;
    await project.put('topic', 'one.txt', 'un\n');
    expect([await seen(), await seen()]).toEqual([
      [null, 'unknown'],
      [null, 'unknown'],
    ]);
    github.emulator.advanceClock(5000);
    expect(await seen()).toEqual([true, 'clean']);
    github.emulator.hooks.mergeableAfterMs = 0;
  });

  test('is no for a conflict, and never said of a closed one', async () => {
    await project.put('main', 'one.txt', 'eins\n');
    expect(await mergeState()).toEqual([false, 'dirty']);
    await github.call(mona, `PATCH ${pull}`, { state: 'closed' });
    expect(await mergeState()).toEqual([null, 'unknown']);
  });

  test('is held up by the reviews that a rule wants, and by a wish for changes', async () => {
    rule('pull_request', { required_approving_review_count: 1 });
    const merge = async () => (await github.call(mona, `PUT ${pull}/merge`)).status;
    const review = (event: string) => github.call(mona, `POST ${pull}/reviews`, { event, body: 'x' });
    expect([await mergeState(), await merge()]).toEqual([[true, 'blocked'], 405]);
    await review('APPROVE');
    await review('REQUEST_CHANGES');
    await review('COMMENT');
    expect([await mergeState(), await merge()]).toEqual([[true, 'blocked'], 405]);
    await review('APPROVE');
    expect([await mergeState(), await merge()]).toEqual([[true, 'clean'], 200]);
  });

  test('is held up by a check that has to pass, and by a base that has moved where that counts', async () => {
    const wanted = { required_status_checks: [{ context: 'build' }] };
    rule('required_status_checks', { ...wanted, strict_required_status_checks_policy: true });
    expect(await mergeState()).toEqual([true, 'blocked']);
    const { body } = await check('failure');
    expect(await mergeState()).toEqual([true, 'blocked']);
    await github.call(token, `PATCH ${project.path}/check-runs/${body.id}`, { conclusion: 'success' });
    expect(await mergeState()).toEqual([true, 'clean']);
    await project.put('main', 'two.txt', 'zwei\n');
    expect(await mergeState()).toEqual([true, 'behind']);
    expect((await github.call(mona, `PUT ${pull}/merge`)).status).toBe(405);
  });

  test('is only called unstable where a check fails that nobody requires', async () => {
    await check('success');
    await status('pending');
    expect(await mergeState()).toEqual([true, 'unstable']);
    await status('success');
    expect(await mergeState()).toEqual([true, 'clean']);
  });
});

describe('a check run', () => {
  test('is told when it begins and when it ends, and listed with its newest of each name', async () => {
    const first = await check(null);
    expect(first).toMatchObject({ status: 201, body: { status: 'in_progress', conclusion: null } });
    const output = { title: 'Broken', summary: 'One test fails' };
    const path = `${project.path}/check-runs/${first.body.id}`;
    const ended = await github.call(token, `PATCH ${path}`, { conclusion: 'failure', output });
    expect(ended.body).toMatchObject({ status: 'completed', conclusion: 'failure', output });
    expect(ended.body.pull_requests).toMatchObject([{ number: 1 }]);
    const again = await check('success');
    expect(again.body.check_suite).toEqual(first.body.check_suite);
    const listed = await github.call(token, `GET ${project.path}/commits/topic/check-runs?check_name=build`);
    expect(listed.body.total_count).toBe(1);
    expect(pluck(listed.body.check_runs, 'id')).toEqual([again.body.id]);
    const all = await github.call(token, `GET ${project.path}/commits/${head}/check-runs?filter=all`);
    expect(all.body.total_count).toBe(2);
    await github.emulator.idle();
    expect(github.names()).toEqual([
      'check_run.created',
      'check_run.completed',
      'check_run.created',
      'check_run.completed',
    ]);
  });

  test('belongs to the App that made it, and needs an end to be called completed', async () => {
    const { body } = await check('success');
    const path = `${project.path}/check-runs/${body.id}`;
    expect((await github.call(mona, `PATCH ${path}`, { conclusion: 'failure' })).status).toBe(403);
    const { emulator } = github;
    const other = emulator.createApp({
      slug: `ci-${body.id}`,
      name: 'CI',
      webhookSecret: 'x',
      permissions: { checks: 'write' },
      events: [],
    });
    const { installationId } = await emulator.installApp({
      appId: other.id,
      account: 'acme',
      repositories: 'all',
    });
    const jwt = github.jwt({ iss: other.id }, other.privateKey);
    const minted = await github.call(jwt, `POST /app/installations/${installationId}/access_tokens`);
    const refused = await github.call(minted.body.token, `PATCH ${path}`, { conclusion: 'failure' });
    expect(refused).toMatchObject({
      status: 403,
      body: { message: expect.stringContaining('Invalid app_id') },
    });
    const endless = { name: 'x', head_sha: head, status: 'completed' };
    expect((await github.call(minted.body.token, `POST ${project.path}/check-runs`, endless)).status).toBe(
      422,
    );
  });
});

test('statuses of a commit are combined, the newest of each context counting', async () => {
  await status('failure');
  await status('success');
  const of = (what: string) => github.call(token, `GET ${project.path}/commits/topic/${what}`);
  expect((await of('status')).body).toMatchObject({ state: 'success', total_count: 1, sha: head });
  expect(pluck((await of('statuses')).body, 'state')).toEqual(['success', 'failure']);
  await github.emulator.idle();
  expect(github.received.at(-1)).toMatchObject({
    event: 'status',
    payload: { context: 'ci/lint', state: 'success', branches: [{ name: 'topic' }] },
  });
});
