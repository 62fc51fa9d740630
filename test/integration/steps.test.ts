import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Play, Script } from '../../src/agent/script.ts';
import type { SpecRow } from '../../src/db/specs.ts';
import { type Desk, openDesk } from '../harness/desk.ts';
import { runGit } from '../harness/git-command.ts';
import { labellerAt } from '../harness/labeller.ts';
import { quickScript } from '../harness/line.ts';
import { until } from '../harness/until.ts';

let desk: Desk;

/** The usual script with other plays for some phases and tasks. */
function script(other: { phases?: Script['phases']; tasks?: Script['tasks']; verify?: Play }): Script {
  const usual = quickScript();
  return {
    phases: { ...usual.phases, ...other.phases },
    tasks: { ...usual.tasks, ...other.tasks },
    ...(other.verify ? { verify: other.verify } : {}),
  };
}

const usual = (name: string) => {
  const { phases, tasks } = quickScript();
  return (phases[name] ?? tasks[name]) as Play;
};

/** Answers its design without saying which files, once; fails its second task once; leaves the check to be mended. */
const stumbling = script({
  phases: { design: [{ output: { overview: 'Somehow.' } }, usual('design')] },
  tasks: {
    'TSK-002': [
      { edits: [{ path: 'broken.txt', content: 'x' }], fail: 'I lost the thread.' },
      usual('TSK-002'),
    ],
  },
  verify: { edits: [{ path: 'CHECKED', content: 'yes\n' }] },
});

beforeAll(async () => {
  desk = await openDesk({ script: stumbling });
  desk.github.hooks.onRequest = undefined;
});
afterAll(() => desk.close());

async function settings(text: string): Promise<void> {
  const path = `${desk.path}/contents/.github/specwright.yml`;
  const there = await desk.api<{ sha: string }>('GET', path).catch(() => null);
  const content = Buffer.from(text).toString('base64');
  await desk.api('PUT', path, { message: 'Settings', content, ...(there ? { sha: there.sha } : {}) });
}

async function run(
  status: Parameters<Desk['reaches']>[1],
  title?: string,
): Promise<{ issue: number; spec: SpecRow }> {
  const issue = await desk.openIssue(title);
  await desk.api('POST', `${desk.path}/issues/${issue}/labels`, { labels: ['spec'] });
  const spec = await desk.reaches(issue, status);
  await desk.settle();
  return { issue, spec };
}

const events = async (spec: SpecRow, type: string) =>
  (await desk.database.db('spec_events').where({ spec_id: spec.id, type }).orderBy('seq')).map(
    ({ phase, attempt, payload }) => ({ phase, attempt, payload }),
  );

async function branchOf(spec: SpecRow): Promise<string | undefined> {
  return (await desk.repository()).branches[spec.branch_name!];
}

async function git(...argv: string[]): Promise<string> {
  const { gitDir } = await desk.repository();
  const { code, output } = await runGit(gitDir, argv);
  if (code !== 0) throw new Error(output);
  return output;
}

describe('work that stumbles in each of its parts', () => {
  let issue: number;
  let spec: SpecRow;

  beforeAll(async () => {
    await settings('verify: test -f CHECKED\nspecFiles: true\n');
    ({ issue, spec } = await run('in_review'));
  }, 40_000);

  test('comes to a pull request all the same', async () => {
    expect(spec).toMatchObject({ status: 'in_review', cause: null });
    expect((await desk.notices(issue)).filter((body) => body.startsWith('@mona'))).toHaveLength(1);
  });

  test('has an answer that fails its gate tried again, with the failures in the next prompt', async () => {
    const [retry, ...more] = await events(spec, 'spec.phase_retry');
    expect(retry).toMatchObject({ phase: 'design', attempt: 1 });
    expect(more.map(({ phase }) => phase)).toEqual(['execute', 'verify']);
    const { failures } = retry!.payload as { failures: string[] };
    expect(failures.length).toBeGreaterThan(0);
    const asked = await desk.database.db('runs').where({ spec_id: spec.id, step: 'phase:design:2' }).first();
    for (const failure of failures) expect(asked.request.prompt).toContain(failure);
  });

  test('has a failed task done again from a clean tree, told why', async () => {
    const [, retry] = await events(spec, 'spec.phase_retry');
    expect(retry!.payload).toEqual({ task: 'TSK-002', reason: 'I lost the thread.' });
    const asked = await desk.database.db('runs').where({ spec_id: spec.id, step: 'task:2:2:agent' }).first();
    expect(asked.request.prompt).toContain('I lost the thread.');
    expect(await git('ls-tree', '-r', '--name-only', spec.head_sha!)).not.toContain('broken.txt');
  });

  test('has a failing check mended and run again before anything is published', async () => {
    const [, , retry] = await events(spec, 'spec.phase_retry');
    expect(retry).toEqual({
      phase: 'verify',
      attempt: 1,
      payload: { reason: '`test -f CHECKED` ended with exit code 1.' },
    });
    const steps = await desk.database
      .db('runs')
      .where({ spec_id: spec.id })
      .whereLike('step', 'verify:%')
      .orderBy('created_at');
    expect(steps.map(({ step }) => step)).toEqual([
      'verify:1:command',
      'verify:2:agent',
      'verify:2:commit',
      'verify:2:push',
      'verify:2:command',
    ]);
    expect(await git('show', `${spec.head_sha}:CHECKED`)).toBe('yes\n');
  });

  test('brings the plan as files where a setting asks for them', async () => {
    const paths = (await git('ls-tree', '-r', '--name-only', spec.head_sha!)).split('\n');
    const folder = `specs/${spec.id.slice(0, 8)}-greet-people-by-time-of-day`;
    expect(paths.filter((path) => path.startsWith(folder)).length).toBeGreaterThanOrEqual(4);
    const [first] = (await git('rev-list', '--reverse', `${spec.base_sha}..${spec.head_sha}`)).split('\n');
    expect(await git('show', '--name-only', '--format=', first!)).toContain(`${folder}/`);
  });

  test('is one commit a task, whose trailers git itself reads', async () => {
    const format =
      '%(trailers:key=Task,valueonly,separator=%x2C)|%(trailers:key=Spec,valueonly,separator=%x2C)|%(trailers:key=Co-authored-by,valueonly,separator=%x2C)|%an';
    const log = await git('log', '--reverse', `--format=${format}`, `${spec.base_sha}..${spec.head_sha}`);
    const by = `mona <${desk.world.people.maintainer.id}+mona@users.noreply.github.com>`;
    expect(log.trim().split('\n')).toEqual(
      ['TSK-001', 'TSK-002', 'TSK-003', ''].map((task) => `${task}|${spec.id}|${by}|specwright[bot]`),
    );
  });

  test('tells all of it in the pull request', async () => {
    const pull = (await desk.repository()).pulls.find(({ number }) => number === spec.pull_request_number)!;
    expect(pull.title).toBe('feat: Greet people by time of day');
    expect(pull.body).toContain('## What changes');
    expect(pull.body).toContain('test -f CHECKED');
    expect(pull.body).toMatch(new RegExp(`Closes #${issue}\\b`));
  });
});

describe('a phase that fails three times', () => {
  let issue: number;
  let spec: SpecRow;

  beforeAll(async () => {
    await settings('specFiles: false\n');
    await desk.play(
      script({ phases: { requirements: { output: { overview: 'No idea.', requirements: [] } } } }),
    );
    ({ issue, spec } = await run('failed'));
  }, 40_000);

  test('ends the spec, and one comment tells the requester why and what to do', async () => {
    expect(spec).toMatchObject({ phase: 'requirements', attempt: 3 });
    expect(spec.cause).toContain('The requirements phase failed 3 times');
    const [notice, ...more] = await desk.notices(issue);
    expect(more).toEqual([]);
    expect(notice).toContain('@mona this spec failed in the phase **requirements**');
    expect(notice).toContain('after 3 attempts');
    expect(notice).toContain('set it once more');
    expect((await desk.issue(issue)).labels).toEqual(['spec', 'spec:failed']);
    expect(await events(spec, 'spec.failed')).toMatchObject([{ phase: 'requirements', attempt: 1 }]);
  });

  test('begins anew with all its attempts when the label is set again, and keeps what was accepted', async () => {
    await desk.play(quickScript());
    await desk.unlabel(issue);
    await desk.label(issue);
    const again = await desk.reaches(issue, 'in_review');
    expect(again).toMatchObject({ id: spec.id, round: 2 });
    const explored = await desk.database.db('runs').where({ spec_id: spec.id, step: 'phase:explore:1' });
    expect(explored).toHaveLength(1);
    expect(await events(spec, 'spec.execution_started')).toMatchObject([{ attempt: 1 }, { attempt: 2 }]);
    await desk.settle();
    expect((await desk.issue(issue)).labels).toEqual(['spec', 'spec:in-review']);
  });
});

describe('work that may not be published', () => {
  // Put together here, so that no scanner of this repository finds it in it.
  const token = `ghp_${'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8'}`;

  test('is refused with a comment that names each part; the branch stays at the base', async () => {
    await settings('protectedPaths: ["infra/**"]\n');
    const edits = [
      { path: '.github/workflows/ci.yml', content: 'on: push\n' },
      { path: 'infra/main.tf', content: 'x\n' },
      { path: 'src/client.js', content: `export const a = 1;\nexport const t = "${token}";\n` },
    ];
    const leaks = { edits: [{ path: 'notes.txt', content: `${token}\n` }] };
    const tidies = { edits: [...edits, { path: 'notes.txt', content: 'none\n' }] };
    await desk.play(script({ tasks: { 'TSK-002': leaks, 'TSK-003': tidies } }));
    const { issue, spec } = await run('failed');
    expect(spec.phase).toBe('publish');
    const [plan, notice, ...more] = await desk.notices(issue);
    expect(more).toEqual([]);
    expect(plan).toContain('## The spec');
    expect(notice).toContain('@mona the work breaks rules of this repository');
    expect(notice).toContain('.github/workflows/ci.yml');
    expect(notice).toContain('infra/main.tf');
    expect(notice).toContain('"src/client.js", line 2, looks like a secret (rule github/GITHUB\\_TOKEN;');
    expect(notice).toMatch(/"notes\.txt", line 1, as commit [0-9a-f]{7} adds it, looks like a secret/);
    const told = [notice, spec, await events(spec, 'spec.phase_failed')];
    expect(JSON.stringify(told)).not.toContain(token);
    const { branches, pulls } = await desk.repository();
    expect(branches[spec.branch_name!]).toBe(spec.base_sha);
    expect(pulls.filter(({ head }) => head.ref === spec.branch_name)).toEqual([]);
    expect(await events(spec, 'spec.phase_failed')).toMatchObject([{ phase: 'publish' }]);
  });
});

describe('finished work for an issue by somebody who may not write', () => {
  const path = 'config/.env.local';
  const edits = [{ path, content: 'MODE=quiet\n' }];

  test('waits with its diff shown, until a person who may write lets exactly that commit be published', async () => {
    await settings(`secretScan:\n  ignorePaths: ["${path}"]\n`);
    await desk.play(script({ tasks: { 'TSK-003': { edits } } }));
    const labeller = labellerAt(desk);
    const writer = labeller.newcomer('walter', 'read');
    const text = { title: 'Be quiet', body: 'Please.' };
    const opened = await desk.api<{ number: number }>('POST', `${desk.path}/issues`, text, writer.token);
    const issue = opened.number;
    await desk.label(issue);
    await until(async () => (await desk.spec(issue))?.hold !== null, 20_000);
    await desk.settle();
    const waiting = await desk.spec(issue);
    const sha = waiting.checkpoint_sha!;
    expect(waiting).toMatchObject({
      status: 'publishing',
      author_login: 'walter',
      author_permission: 'read',
      hold: { reason: 'approval', resumeTo: 'publishing', sha },
    });
    const notice = (await desk.notices(issue)).at(-1);
    expect(notice).toContain('the issue was written by `walter`, without write permission here');
    expect(notice).toContain(sha);
    expect(notice).toContain('+MODE=quiet');
    expect(await branchOf(waiting)).toBe(waiting.base_sha);

    const { token } = labeller.newcomer('tessa', 'triage');
    await desk.label(issue, token, 'spec:publish');
    expect((await labeller.labelled()).reason).toBe(
      'refused: publishing needs a person with write permission, and @tessa is none',
    );
    expect((await desk.spec(issue)).hold).not.toBeNull();

    await desk.unlabel(issue, 'spec:publish');
    await desk.label(issue, undefined, 'spec:publish');
    const published = await desk.reaches(issue, 'in_review');
    await desk.settle();
    expect(published).toMatchObject({ hold: null, head_sha: sha });
    expect(await branchOf(published)).toBe(sha);
    expect((await desk.issue(issue)).labels).toEqual(['spec', 'spec:in-review']);
    const approvals = await desk.database.db('approvals').where({ spec_id: published.id });
    expect(approvals).toMatchObject([{ hash: sha, approver_login: 'mona' }]);
  }, 60_000);
});

describe('work that changes nothing', () => {
  test('ends without a pull request and says so; nothing is left of it', async () => {
    const idle = { edits: [] };
    await settings('specFiles: true\n');
    await desk.play(script({ tasks: { 'TSK-001': idle, 'TSK-002': idle, 'TSK-003': idle } }));
    const { issue, spec } = await run('closed');
    const notice = (await desk.notices(issue)).at(-1);
    expect(notice).toContain('@mona there is nothing to change, so no pull request was opened.');
    const { branches, hiddenRefs, pulls } = await desk.repository();
    expect(Object.keys(branches)).not.toContain(spec.branch_name);
    expect(Object.keys(hiddenRefs).filter((ref) => ref.includes(spec.id.slice(0, 8)))).toEqual([]);
    expect(pulls.filter(({ head }) => head.ref === spec.branch_name)).toEqual([]);
    expect(await events(spec, 'spec.closed')).toMatchObject([{ phase: 'publish', attempt: 1 }]);
  });
});
