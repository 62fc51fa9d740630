import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { GITHUB_PRIMARY_LIMITS, GITHUB_SECONDARY_LIMITS } from '../../src/emulator/emulator.ts';
import {
  type Answer,
  askGraphql,
  type EmulatedGithub,
  pluck,
  startEmulatedGithub,
} from '../harness/emulated-github.ts';
import { type EmulatedProject, openProject } from '../harness/emulated-project.ts';

let github: EmulatedGithub;
let token: string;
let mona: string;
let project: EmulatedProject;
let pull: string;
let id: string;

beforeAll(async () => {
  github = await startEmulatedGithub();
  token = await github.token();
  mona = github.demo.people.maintainer.token;
});

beforeEach(async () => {
  project = await openProject(github, token, { allowAutoMerge: true });
  await project.branch('topic', { 'one.txt': 'uno\n' });
  const { body } = await project.open('topic');
  pull = `${project.path}/pulls/${body.number}`;
  id = body.node_id;
  await github.emulator.idle();
  github.received.splice(0);
});

afterEach(() => {
  github.emulator.hooks.limits = { ...GITHUB_PRIMARY_LIMITS };
  github.emulator.hooks.secondaryLimits = null;
});

afterAll(() => github.close());

function ask(query: string, variables: Record<string, unknown> = {}, as = token): Promise<Answer> {
  return askGraphql(github, as, { query, variables });
}

function change(field: string, input: Record<string, unknown>, wanted: string): Promise<Answer> {
  const type = `${field[0]?.toUpperCase()}${field.slice(1)}Input`;
  return ask(`mutation($input: ${type}!) { ${field}(input: $input) { ${wanted} } }`, { input });
}

const THREADS = `query($owner: String!, $name: String!, $number: Int!, $first: Int, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      reviewThreads(first: $first, after: $after) {
        totalCount
        pageInfo { hasNextPage endCursor }
        nodes { id isResolved isOutdated path line resolvedBy { login } comments(first: 5) { nodes { body author { login } } } }
      }
    }
  }
}`;

async function threads(page: Record<string, unknown> = { first: 10 }) {
  const [owner, name] = project.fullName.split('/');
  const { body } = await ask(THREADS, { owner, name, number: 1, ...page });
  return body.data.repository.pullRequest?.reviewThreads;
}

async function beginThread(body: string): Promise<void> {
  const comments = [{ path: 'one.txt', line: 1, body }];
  await github.call(mona, `POST ${pull}/reviews`, { event: 'COMMENT', comments });
}

describe('review threads', () => {
  test('are listed page by page with their comments', async () => {
    for (const text of ['First', 'Second', 'Third']) await beginThread(text);
    const page = await threads({ first: 2 });
    expect(page).toMatchObject({ totalCount: 3, pageInfo: { hasNextPage: true } });
    expect(page.nodes[0]).toMatchObject({
      path: 'one.txt',
      line: 1,
      isResolved: false,
      isOutdated: false,
      comments: { nodes: [{ body: 'First', author: { login: 'mona' } }] },
    });
    const rest = await threads({ first: 2, after: page.pageInfo.endCursor });
    expect(pluck(rest.nodes, 'line')).toEqual([1]);
    expect(rest.pageInfo.hasNextPage).toBe(false);
    await project.put('topic', 'one.txt', 'un\n');
    expect((await threads()).nodes[0]).toMatchObject({ isOutdated: true, line: null });
  });

  test('are resolved and opened again, once each', async () => {
    await beginThread('Why?');
    const [{ id: threadId }] = (await threads()).nodes;
    await github.emulator.idle();
    github.received.splice(0);
    const wanted = 'thread { isResolved resolvedBy { login } } clientMutationId';
    const done = await change('resolveReviewThread', { threadId, clientMutationId: 'x' }, wanted);
    expect(done.body.data.resolveReviewThread).toEqual({
      thread: { isResolved: true, resolvedBy: { login: 'specwright' } },
      clientMutationId: 'x',
    });
    await change('resolveReviewThread', { threadId }, wanted);
    await change('unresolveReviewThread', { threadId }, wanted);
    await github.emulator.idle();
    expect(github.names()).toEqual([
      'pull_request_review_thread.resolved',
      'pull_request_review_thread.unresolved',
    ]);
    expect(github.received[0]?.payload.thread.node_id).toBe(threadId);
  });
});

describe('a pull request', () => {
  const READY = 'pullRequest { isDraft mergeStateStatus }';

  test('becomes a draft and ready again, and can be asked for by its node id', async () => {
    const draft = await change('convertPullRequestToDraft', { pullRequestId: id }, READY);
    expect(draft.body.data.convertPullRequestToDraft.pullRequest.isDraft).toBe(true);
    const query = 'query($id: ID!) { node(id: $id) { ... on PullRequest { number mergeStateStatus } } }';
    expect((await ask(query, { id })).body.data.node).toEqual({ number: 1, mergeStateStatus: 'DRAFT' });
    await change('markPullRequestReadyForReview', { pullRequestId: id }, READY);
    expect((await github.call(token, `GET ${pull}`)).body).toMatchObject({ draft: false, mergeable: true });
    await github.emulator.idle();
    expect(github.names()).toEqual(['pull_request.converted_to_draft', 'pull_request.ready_for_review']);
  });

  test('is merged by itself as soon as nothing stands against it', async () => {
    github.emulator.setRules(project.fullName, [
      { type: 'pull_request', parameters: { required_approving_review_count: 1 } },
    ]);
    const wanted = 'pullRequest { autoMergeRequest { mergeMethod enabledBy { login } } reviewDecision }';
    const on = await change(
      'enablePullRequestAutoMerge',
      { pullRequestId: id, mergeMethod: 'SQUASH' },
      wanted,
    );
    expect(on.body.data.enablePullRequestAutoMerge.pullRequest).toEqual({
      autoMergeRequest: { mergeMethod: 'SQUASH', enabledBy: { login: 'specwright' } },
      reviewDecision: 'REVIEW_REQUIRED',
    });
    await github.call(mona, `POST ${pull}/reviews`, { event: 'APPROVE' });
    expect((await github.call(token, `GET ${pull}`)).body).toMatchObject({
      merged: true,
      merged_by: { login: 'specwright[bot]' },
    });
    await github.emulator.idle();
    expect(github.names()).toEqual([
      'pull_request.auto_merge_enabled',
      'pull_request_review.submitted',
      'push',
      'pull_request.closed',
    ]);
  });

  test('is not merged by itself where that is not allowed, not needed or no longer wanted', async () => {
    const enable = () => change('enablePullRequestAutoMerge', { pullRequestId: id }, 'clientMutationId');
    expect((await enable()).body.errors).toMatchObject([
      { type: 'UNPROCESSABLE', message: 'Pull request Pull request is in clean status' },
    ]);
    github.emulator.setRules(project.fullName, [
      { type: 'pull_request', parameters: { required_approving_review_count: 1 } },
    ]);
    expect((await enable()).body.errors).toBeUndefined();
    await change('disablePullRequestAutoMerge', { pullRequestId: id }, 'clientMutationId');
    await github.call(mona, `POST ${pull}/reviews`, { event: 'APPROVE' });
    expect((await github.call(token, `GET ${pull}`)).body).toMatchObject({ merged: false, auto_merge: null });
    const plain = await openProject(github, token);
    await plain.branch('topic', { 'one.txt': 'uno\n' });
    id = (await plain.open('topic')).body.node_id;
    expect((await enable()).body.errors[0].message).toContain('not allowed for this repository');
  });
});

describe('a refusal', () => {
  const minimize = (as: string, subjectId: string, wanted = 'minimizedComment { minimizedReason }') =>
    ask(
      `mutation($id: ID!) { minimizeComment(input: {subjectId: $id, classifier: OFF_TOPIC}) { ${wanted} } }`,
      { id: subjectId },
      as,
    );

  test('is an error with a type in an answer of 200: without the permission, and for what is unknown', async () => {
    await beginThread('Why?');
    const [{ id: threadId }] = (await threads()).nodes;
    const weak = await github.token({ permissions: { pull_requests: 'write', contents: 'read' } });
    const query = 'mutation($id: ID!) { resolveReviewThread(input: {threadId: $id}) { thread { id } } }';
    expect(await ask(query, { id: threadId }, weak)).toMatchObject({
      status: 200,
      body: {
        data: { resolveReviewThread: null },
        errors: [
          {
            type: 'FORBIDDEN',
            path: ['resolveReviewThread'],
            message: 'Resource not accessible by integration',
          },
        ],
      },
    });
    expect((await ask(query, { id: 'PRRT_nothing' })).body.errors[0].type).toBe('NOT_FOUND');
    const other = await github.token({ repositories: ['greeter'] });
    expect((await ask(query, { id: threadId }, other)).body.errors[0].type).toBe('NOT_FOUND');
    expect(await threads()).toMatchObject({ nodes: [{ isResolved: false }] });
  });

  test('tells people from authors when comments are hidden', async () => {
    const { body } = await github.call(token, `POST ${project.path}/issues/1/comments`, { body: 'Mine' });
    const stranger = github.demo.people.outsider.token;
    expect((await minimize(stranger, body.node_id)).body.errors[0].type).toBe('FORBIDDEN');
    const hidden = (await minimize(mona, body.node_id)).body.data.minimizeComment.minimizedComment;
    expect(hidden).toEqual({ minimizedReason: 'off-topic' });
  });

  test('meets what the schema does not know, pages without a bound, and who is nobody', async () => {
    const unknown = await ask('{ viewer { login favouriteColour } }');
    expect(unknown.body).toEqual({
      errors: [expect.objectContaining({ message: expect.stringContaining('favouriteColour') })],
    });
    expect((await ask('{ viewer {')).body.errors[0].message).toMatch(/^Syntax Error/);
    const unbounded = await ask(
      'query($id: ID!) { node(id: $id) { ... on PullRequest { reviewThreads { totalCount } } } }',
      { id },
    );
    expect(unbounded.body.errors[0].type).toBe('MISSING_PAGINATION_BOUNDARIES');
    expect((await askGraphql(github, null, { query: '{ viewer { login } }' })).status).toBe(401);
    expect((await askGraphql(github, github.jwt(), { query: '{ viewer { login } }' })).status).toBe(401);
  });

  test('follows a used up hour with 200, and a burst with 403', async () => {
    const cost = await ask('{ rateLimit { cost limit remaining used } }');
    const { used, remaining } = cost.body.data.rateLimit;
    expect(cost.body.data.rateLimit).toEqual({ cost: 1, limit: 5000, remaining, used });
    expect(used + remaining).toBe(5000);
    github.emulator.hooks.limits.graphql = used;
    const over = await ask('{ viewer { login } }');
    expect(over).toMatchObject({ status: 200, body: { errors: [{ type: 'RATE_LIMITED' }] } });
    expect(over.headers.get('x-ratelimit-remaining')).toBe('0');
    expect((await github.call(token, `GET ${pull}`)).status).toBe(200);
    github.emulator.hooks.limits.graphql = 5000;
    github.emulator.hooks.secondaryLimits = { ...GITHUB_SECONDARY_LIMITS, graphqlPointsPerMinute: 1 };
    const statuses = [await ask('{ viewer { login } }'), await ask('{ viewer { login } }')];
    expect(pluck(statuses, 'status')).toEqual([200, 403]);
  });
});
