import { listRunEvents } from '../../db/run-events.ts';
import { newestSandbox } from '../../db/sandboxes.ts';
import type { PullState } from '../../emulator/emulator.ts';
import { describeAgents } from '../../services/agents/choose.ts';
import { settingsOf } from '../../services/spec/work.ts';
import { listCommits } from './people.ts';
import type { Progress } from './progress.ts';
import type { Stage } from './world.ts';

/** What really happened, read from the emulated GitHub and the database. */
export interface Report {
  readonly spec: { readonly id: string; readonly status: string };
  readonly issue: { readonly number: number; readonly url: string; readonly state: string };
  readonly branch: { readonly name: string | null; readonly deleted: boolean };
  readonly commits: readonly { readonly sha: string; readonly subject: string }[];
  readonly pullRequest: {
    readonly number: number | null;
    readonly url: string | null;
    readonly merged: boolean;
    readonly mergeSha: string | null;
  };
  readonly sandbox: { readonly provider: string | null; readonly isolated: boolean; readonly gone: boolean };
  readonly agent: { readonly driver: string; readonly scripted: boolean };
  readonly githubCalls: { readonly rest: number; readonly contentWrites: number; readonly tokens: number };
  readonly timings: { readonly labelToFirstCommandMs: number | null; readonly totalMs: number };
  /** Steps that were not seen to happen; empty when all were. */
  readonly missing: readonly string[];
}

const MERGED_HEADLINE = /merged/i;

export async function makeReport(
  stage: Stage,
  of: { issue: { number: number; url: string }; progress: Progress; totalMs: number },
): Promise<Report> {
  const { deps } = stage.app.opened;
  const { spec } = of.progress;
  const state = await stage.github.state();
  const repo = state.repos[stage.world.repo.fullName]!;
  const issue = repo.issues.find(({ number }) => number === of.issue.number);
  const pulls = repo.pulls.filter(({ head }) => head.ref === spec.branch_name);
  const pull = pulls[0];
  const sandbox = await newestSandbox(deps.db, spec.id);
  const marker = `spec/${spec.id}/status`;
  const statusComments = (issue?.comments ?? []).filter(({ body }) =>
    decodeURIComponent(body).includes(marker),
  );
  const commits = pull ? await listCommits(stage, pull.number) : [];
  const existed = of.progress.events.some(({ type }) => type === 'spec.branch_created');
  const deleted = existed && spec.branch_name !== null && !(spec.branch_name in repo.branches);
  const seen: Readonly<Record<string, boolean>> = {
    'the request was acknowledged with eyes': (issue?.reactions ?? []).some(
      ({ content }) => content === 'eyes',
    ),
    'the spec was merged': spec.status === 'merged',
    'one pull request was opened': pulls.length === 1,
    'the pull request was merged': pull?.merged === true,
    'every task has its commit': commits.length > 0 && commits.length === of.progress.tasks.length,
    'every task is done': of.progress.tasks.every(({ state: task }) => task === 'done'),
    'the issue was closed by the merge': issue?.state === 'closed',
    'the branch was created and deleted': deleted,
    'the checkpoint ref is gone': Object.keys(repo.hiddenRefs).length === 0,
    'there is one status comment, and it says merged':
      statusComments.length === 1 && MERGED_HEADLINE.test(statusComments[0]!.body),
    'the sandbox is gone': sandbox?.state === 'gone',
  };
  const agent = describeAgents(deps.agents, settingsOf(spec));
  return {
    spec: { id: spec.id, status: spec.status },
    issue: { ...of.issue, state: issue?.state ?? 'missing' },
    branch: { name: spec.branch_name, deleted },
    commits,
    pullRequest: pullReport(pull),
    sandbox: {
      provider: sandbox?.provider ?? null,
      isolated: sandbox?.isolated ?? false,
      gone: sandbox?.state === 'gone',
    },
    agent: { driver: agent.name, scripted: agent.scripted },
    githubCalls: countCalls(stage),
    timings: { labelToFirstCommandMs: await firstCommandAfterLabel(stage, spec.id), totalMs: of.totalMs },
    missing: Object.entries(seen).flatMap(([step, happened]) => (happened ? [] : [step])),
  };
}

function pullReport(pull: PullState | undefined): Report['pullRequest'] {
  if (!pull) return { number: null, url: null, merged: false, mergeSha: null };
  const { number, url, merged, mergeSha } = pull;
  return { number, url, merged, mergeSha };
}

const CONTENT_ROUTE = /^(?:POST|PATCH|PUT) \/repos\/\{owner\}\/\{repo\}\/(?:issues|pulls|labels)/;

/** The App's own calls; people's and git's are not counted, and tokens are counted apart. */
export function countCalls(stage: Pick<Stage, 'github'>): Report['githubCalls'] {
  const ours = stage.github
    .requests()
    .filter(({ kind, actor }) => kind !== 'git' && (actor.kind === 'app' || actor.kind === 'installation'));
  const tokens = ours.filter(({ route }) => /access_tokens$|\/installation\/token$/.test(route));
  const rest = ours.filter((request) => !tokens.includes(request));
  return {
    rest: rest.length,
    contentWrites: rest.filter(({ route }) => CONTENT_ROUTE.test(route)).length,
    tokens: tokens.length,
  };
}

/** From the emulator's sending of the label webhook to the start of the runner's first command, wall time. */
export async function firstCommandAfterLabel(stage: Stage, specId: string): Promise<number | null> {
  const label = stage.github
    .deliveries()
    .find(({ event, action }) => event === 'issues' && action === 'labeled');
  const events = await listRunEvents(stage.app.opened.deps.db, specId, 1000);
  const starts = events.filter(({ type }) => type === 'command.started').map(({ at }) => at.getTime());
  if (!label || starts.length === 0) return null;
  return Math.round(Math.min(...starts) - label.sentAt);
}

/** The report for people. */
export function renderReport(report: Report, stage: Stage): string {
  const { pullRequest: pull, timings, githubCalls: calls } = report;
  const sandbox = report.sandbox.isolated
    ? `${report.sandbox.provider}, isolated`
    : `${report.sandbox.provider}, NOT isolated (unsafe mode)`;
  const lines = [
    '',
    'What happened:',
    `  issue          ${report.issue.url} (${report.issue.state})`,
    `  spec           ${report.spec.id} (${report.spec.status})`,
    `  commits        ${report.commits.length}`,
    ...report.commits.map(({ sha, subject }) => `                 ${sha.slice(0, 7)} ${subject}`),
    `  pull request   ${pull.url} (${pull.merged ? `merged as ${pull.mergeSha?.slice(0, 7)}` : 'not merged'})`,
    `  branch         ${report.branch.name} (${report.branch.deleted ? 'deleted' : 'still there'})`,
    `  sandbox        ${sandbox}, ${report.sandbox.gone ? 'gone' : 'still there'}`,
    `  GitHub calls   ${calls.rest} REST, of which ${calls.contentWrites} content writes; ${calls.tokens} for tokens`,
    `  label → first command in the sandbox   ${timings.labelToFirstCommandMs} ms`,
    `  all of it      ${(timings.totalMs / 1000).toFixed(1)} s`,
    '',
    'The agent was a script, not a model: no account and no key were used.',
  ];
  if (report.missing.length > 0) {
    lines.push(
      '',
      'Not seen to happen:',
      ...report.missing.map((step) => `  ${step}`),
      `  log: ${stage.logFile}`,
    );
  }
  return `${lines.join('\n')}\n`;
}
