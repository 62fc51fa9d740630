import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { countCalls } from '../../src/cli/demo/report.ts';
import type { SpecRow } from '../../src/db/specs.ts';
import type { EmulatorState } from '../../src/emulator/emulator.ts';
import { listedCalls } from '../harness/github-calls.ts';
import { type Line, openLine } from '../harness/line.ts';
import { until } from '../harness/until.ts';

const CANARY = 'canary-4f9b7c';
const TITLE = 'Greet people by time of day';

type RepositoryState = EmulatorState['repos'][string];

let line: Line;
let spec: SpecRow;
/** The repository when the pull request was ready, and after everything. */
let ready: RepositoryState;
let end: RepositoryState;
let merge: { sha: string };

const repository = async () => (await line.github.state()).repos[line.world.repo.fullName]!;
const repo = () => `/repos/${line.world.repo.fullName}`;
const issueOf = (state: RepositoryState) => state.issues.find(({ number }) => number === 1)!;

beforeAll(async () => {
  line = await openLine({ env: { STATUS_INTERVAL_SECONDS: '10' } });
  await line.startHere();
  const issue = await line.request(TITLE, `Say good morning in the morning. ${CANARY}`);
  const read = async () => (spec = await line.database.db('specs').where({ issue_number: issue }).first());
  await until(async () => (await read())?.status === 'in_review', 25_000);
  await until(async () => issueOf(await repository()).comments.length === 3);
  ready = await repository();
  merge = await line.api('PUT', `${repo()}/pulls/${spec.pull_request_number}/merge`, {});
  await until(async () => {
    end = await repository();
    const gone = Object.keys(end.branches).length === 1 && Object.keys(end.hiddenRefs).length === 0;
    return gone && (await read()).status === 'merged' && spec.status_published_version === spec.version;
  });
  await line.github.idle();
  const open = () => line.database.db('deliveries').where({ state: 'pending' }).first();
  await until(async () => !(await open()));
  end = await repository();
}, 60_000);
afterAll(() => line.close());

describe('a labelled issue becomes a merged pull request', () => {
  test('the issue shows three comments: status, plan, and one that calls for a review', () => {
    const issue = issueOf(ready);
    expect(issue.comments.map(({ author }) => author)).toEqual(Array(3).fill('specwright[bot]'));
    const [status, plan, call] = issue.comments.map(({ body }) => body);
    expect(status).toMatch(/^## (⏳|📝|🔨|📦|👀) /u);
    expect(plan).toMatch(/^## The spec\n/);
    expect(plan!.match(/<summary>(\w+):/g)).toEqual(
      ['explore', 'requirements', 'design', 'tasks', 'sync'].map((phase) => `<summary>${phase}:`),
    );
    expect(call).toContain(
      `@mona the pull request [#2](${line.github.url}/acme/greeter/pull/2) is ready for your review.`,
    );
    expect(call).toContain('3 tasks for 4 requirements are done.');
    expect(issue.reactions).toEqual([{ user: 'specwright[bot]', content: 'eyes' }]);
    // Nobody is pinged but the requester, and only where somebody is needed.
    expect([status, plan].filter((body) => /@\w/.test(body!))).toEqual([]);
  });

  test('the pull request says what it is for, what proves it and what it closes', () => {
    const [pull] = ready.pulls;
    expect(ready.pulls).toHaveLength(1);
    expect(pull).toMatchObject({
      number: 2,
      title: `feat: ${TITLE}`,
      author: 'specwright[bot]',
      draft: false,
      comments: [],
      head: { ref: spec.branch_name },
      base: { ref: 'main' },
    });
    const headings = pull!.body!.match(/^## .+$/gm);
    expect(headings).toEqual(['## What changes', '## Checklist', '## Requirements', '## Verification']);
    expect(pull!.body).toMatch(/## What changes\n\n<!-- One paragraph for the reviewer. -->\n+`greet` says/);
    for (const id of ['R1', 'R2', 'R3', 'R4']) expect(pull!.body).toContain(`| **${id}** |`);
    for (const id of ['TSK-001', 'TSK-002', 'TSK-003']) expect(pull!.body).toContain(`- [x] **${id}** `);
    expect(pull!.body).toContain('- [ ] Tests cover the change');
    expect(pull!.body!.match(/\b(closes|fixes|resolves) #\d+/gi)).toEqual(['Closes #1']);
    expect(pull!.body).toContain('by the script `scripted`, not by a model, in an isolated `local` sandbox');
    expect(pull!.body).not.toContain(CANARY);
  });

  test('each task is one commit with its trailers and the requester as co-author', async () => {
    const commits = await line.api<
      { sha: string; parents: { sha: string }[]; commit: { message: string } }[]
    >('GET', `${repo()}/pulls/2/commits`);
    const { maintainer } = line.world.people;
    const trailers = commits.map(({ commit }) => commit.message.split('\n\n').at(-1)!.trim().split('\n'));
    const by = `Co-authored-by: mona <${maintainer.id}+mona@users.noreply.github.com>`;
    const of = (task: string, ...requirements: string[]) => [
      `Spec: ${spec.id}`,
      `Task: ${task}`,
      ...requirements.map((id) => `Requirement: ${id}`),
      by,
    ];
    expect(trailers).toEqual([
      of('TSK-001', 'R1', 'R3'),
      of('TSK-002', 'R1', 'R2', 'R3'),
      of('TSK-003', 'R4'),
    ]);
    expect(commits.map(({ parents }) => parents[0]!.sha)).toEqual([
      spec.base_sha,
      ...commits.slice(0, -1).map(({ sha }) => sha),
    ]);
    expect(commits.at(-1)!.sha).toBe(spec.head_sha);
    const tasks = await line.database.db('tasks').orderBy('ordinal');
    expect(tasks.map((task) => [task.state, task.commit_sha])).toEqual(
      commits.map(({ sha }) => ['done', sha]),
    );
  });

  test('the merge closes the issue, and nothing that was set up is left', () => {
    const issue = issueOf(end);
    expect(issue).toMatchObject({ state: 'closed', stateReason: 'completed', labels: ['spec'] });
    expect(issue.comments).toHaveLength(3);
    expect(end.pulls[0]).toMatchObject({ merged: true, mergeSha: merge.sha, labels: [], comments: [] });
    expect(Object.keys(end.branches)).toEqual(['main']);
    expect(end.hiddenRefs).toEqual({});
    expect(end.branches.main).toBe(merge.sha);
  });

  test('the status comment ends with the whole story', () => {
    const [status] = issueOf(end).comments.map(({ body }) => body);
    expect(status).toMatch(/^## 🎉 Merged in #2\n/);
    expect(status).toContain('what was set up for it is cleaned away.');
    expect(status).toContain(`- Branch: \`${spec.branch_name}\` (deleted)`);
    expect(status).toContain(`- Merge: ${merge.sha}`);
    expect(status!.match(/^\| ✅ \| \*\*\w+\*\*/gm)).toHaveLength(8);
    expect(status!.match(/^- \[x\] /gm)).toHaveLength(3);
    expect(status).toContain('A script (`scripted`) and not a model is at work here');
    expect(status).not.toMatch(/WARNING|undefined|null|NaN|\u200b|\/tree\/|\/compare\//);
  });

  test('the spec’s events tell the same, each once and in order', async () => {
    const events = await line.database.db('spec_events').where({ spec_id: spec.id }).orderBy('seq');
    const names = events.map(({ type, phase }) => (phase ? `${type} ${phase}` : type));
    const phase = (name: string) => [`spec.phase_started ${name}`, `spec.phase_completed ${name}`];
    const expected = [
      'spec.execution_started',
      ...['explore', 'requirements', 'design', 'tasks'].flatMap(phase),
      'spec.phase_started sync',
      'spec.sync_started sync',
      'spec.phase_completed sync',
      'spec.sync_completed sync',
      ...['execute', 'verify'].flatMap(phase),
      'spec.execution_completed',
      ...phase('publish'),
      'spec.pr_created',
      'spec.merged',
    ];
    // The branch is made beside the planning, so its event may stand anywhere in it.
    expect(names.filter((name) => name !== 'spec.branch_created')).toEqual(expected);
    expect(names).toHaveLength(expected.length + 1);
    expect(names.indexOf('spec.branch_created')).toBeLessThan(names.indexOf('spec.execution_completed'));
    expect(events.map(({ seq }) => Number(seq))).toEqual(events.map((_, index) => index + 1));
    expect(events.find(({ type }) => type === 'spec.pr_created').payload).toMatchObject({ number: 2 });
    expect(events.at(-1).payload).toEqual({ by: 'mona', mergeSha: merge.sha });
  });

  test('every delivery ended with a reason, and every effect was sent at the first try', async () => {
    const rows = await line.database.db('deliveries').select('guid', 'event', 'action', 'state', 'reason');
    const sent = line.github.deliveries().filter(({ outcome }) => outcome !== 'unsent');
    expect(new Set(rows.map(({ guid }) => guid))).toEqual(new Set(sent.map(({ guid }) => guid)));
    expect(rows.filter(({ state, reason }) => !['handled', 'ignored'].includes(state) || !reason)).toEqual(
      [],
    );
    const handled = rows.filter(({ state }) => state === 'handled');
    const names = handled.map(({ event, action }) => `${event}.${action}`);
    expect(names).toContain('issues.labeled');
    // Both tell of the merge, in either order; the first to be decided counts.
    expect(names.filter((name) => name.endsWith('.closed'))).toHaveLength(1);
    const effects = await line.database.db('effects').select('kind', 'state', 'attempts').orderBy('kind');
    expect(effects).toEqual(
      [
        'acknowledge',
        'add_label',
        'create_branch',
        'delete_branch',
        'delete_checkpoint',
        'move_branch',
        'notify',
        'open_pull',
        'publish_artifacts',
        'remove_label',
      ].map((kind) => ({ kind, state: 'sent', attempts: 1 })),
    );
  });
});

describe('the calls to GitHub', () => {
  test('are at most 30, of which at most 14 write content', () => {
    const { rest, contentWrites } = countCalls(line);
    expect(rest).toBeLessThanOrEqual(30);
    expect(contentWrites).toBeLessThanOrEqual(14);
    // Fewer than these would mean that they were not counted.
    expect(rest).toBeGreaterThan(20);
    expect(contentWrites).toBeGreaterThan(5);
  });

  test('are those that docs/github-calls.md lists, no more often than it says, and none fails', () => {
    const { usual } = listedCalls();
    const ours = line.github
      .requests()
      .filter(
        ({ kind, actor }) => kind === 'rest' && (actor.kind === 'app' || actor.kind === 'installation'),
      );
    const counts = new Map<string, number>();
    for (const { route } of ours) counts.set(route, (counts.get(route) ?? 0) + 1);
    const tooMany = [...counts].filter(([route, count]) => count > (usual.get(route) ?? 0));
    expect(tooMany).toEqual([]);
    // A file of settings that does not exist is an answer.
    const failed = ours.filter(({ status, route }) => (status ?? 0) >= 400 && !route.includes('/contents/'));
    expect(failed).toEqual([]);
  });

  test('of the source are all in docs/github-calls.md, and the other way round', () => {
    const folder = new URL('../../src/github/', import.meta.url);
    const source = readdirSync(folder).map((file) => readFileSync(new URL(file, folder), 'utf8'));
    const routes = source.flatMap(
      (text) => text.match(/(?<=')(GET|POST|PATCH|PUT|DELETE) \/[^']+(?=')/g) ?? [],
    );
    const { usual, rare } = listedCalls();
    expect([...new Set(routes)].sort()).toEqual([...usual.keys(), ...rare].sort());
  });
});

describe('the log of a whole run at level debug', () => {
  test('holds no text of people, no prompt and no secret', () => {
    const log = readFileSync(line.logFile, 'utf8');
    expect(log).toContain('"level":"debug"');
    expect(log).toContain(String(spec.id));
    const key = line.world.app.privateKey.split('\n')[1]!;
    const forbidden = [CANARY, TITLE, 'You plan a change', 'Good morning', line.webhookSecret, key];
    expect(forbidden.filter((text) => log.includes(text))).toEqual([]);
    expect(log).not.toMatch(/gh[a-z]_\w|Bearer |"(payload|prompt|body|headers|authorization)":/i);
    expect(log).not.toMatch(/"level":"(warn|error|fatal)"/);
  });
});
