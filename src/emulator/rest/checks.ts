import { settleAutoMerge } from '../auto-merge.ts';
import { emit } from '../events.ts';
import { isPull } from '../issue-actions.ts';
import { checkRunHookJson, checkRunJson } from '../payloads/check.ts';
import { created, notFound, ok, problem, type Reply } from '../reply.ts';
import type { CheckRun, CheckStatus } from '../review-state.ts';
import { type Json, nextId, now } from '../state.ts';
import { optionalChoice, optionalText, requiredText } from './body.ts';
import { actingAppId, type RepoCall, type Route, repoRoute } from './call.ts';
import { mustCommit } from './commits.ts';
import { doing } from './issues.ts';
import { linkHeader, pageOf, slice } from './paging.ts';

const RUNS = '/repos/{owner}/{repo}/check-runs';
const ONE = `${RUNS}/{check_run_id}`;
const STATUSES: readonly CheckStatus[] = ['queued', 'in_progress', 'completed'];
const CONCLUSIONS = [
  'action_required',
  'cancelled',
  'failure',
  'neutral',
  'success',
  'skipped',
  'stale',
  'timed_out',
] as const;

function requireApp(call: RepoCall): number {
  const appId = actingAppId(call);
  if (appId === null) throw problem(403, 'You must authenticate via a GitHub App.');
  return appId;
}

/** What a body changes of a run; a conclusion completes it. */
function apply(call: RepoCall, run: CheckRun): void {
  const conclusion = optionalChoice(call.body, 'conclusion', CONCLUSIONS);
  const status = optionalChoice(call.body, 'status', STATUSES);
  const completes = conclusion !== undefined;
  if (status === 'completed' && !completes)
    throw problem(422, 'Invalid request.\n\n"conclusion" wasn\'t supplied.');
  run.name = optionalText(call.body, 'name') ?? run.name;
  run.externalId = optionalText(call.body, 'external_id') ?? run.externalId;
  run.detailsUrl = optionalText(call.body, 'details_url') ?? run.detailsUrl;
  run.status = completes ? 'completed' : (status ?? run.status);
  run.conclusion = completes ? conclusion : run.status === 'completed' ? run.conclusion : null;
  run.completedAt = run.status === 'completed' ? (dateIn(call, 'completed_at') ?? now(call.world)) : null;
  run.output = outputIn(call, run);
}

function dateIn(call: RepoCall, field: string): Date | null {
  const time = Date.parse(optionalText(call.body, field) ?? '');
  return Number.isNaN(time) ? null : new Date(time);
}

function outputIn(call: RepoCall, { output }: CheckRun): CheckRun['output'] {
  const given = call.body.output as Json | undefined;
  if (given === undefined) return output;
  const { annotations } = given;
  return {
    title: optionalText(given, 'title') ?? null,
    summary: requiredText(given, 'summary'),
    text: optionalText(given, 'text') ?? null,
    annotations: output.annotations + (Array.isArray(annotations) ? annotations.length : 0),
  };
}

async function tell(call: RepoCall, run: CheckRun, action: string): Promise<void> {
  const { world, repo } = call;
  const by = doing(call);
  const build = () => ({ check_run: checkRunHookJson(world, repo, run) });
  await emit(world, repo, { event: 'check_run', action, sender: by.by, build });
  for (const issue of [...repo.issues.values()].filter(isPull))
    if (issue.pull.headSha === run.headSha) await settleAutoMerge(by, issue);
}

async function create(call: RepoCall): Promise<Reply> {
  const appId = requireApp(call);
  const name = requiredText(call.body, 'name');
  const { sha } = await mustCommit(call, requiredText(call.body, 'head_sha'));
  const suite = call.repo.checkRuns.find((one) => one.appId === appId && one.headSha === sha)?.suiteId;
  const run: CheckRun = {
    id: nextId(call.world),
    appId,
    suiteId: suite ?? nextId(call.world),
    headSha: sha,
    name,
    status: 'queued',
    conclusion: null,
    externalId: '',
    detailsUrl: null,
    startedAt: dateIn(call, 'started_at') ?? now(call.world),
    completedAt: null,
    output: { title: null, summary: null, text: null, annotations: 0 },
  };
  apply(call, run);
  call.repo.checkRuns.push(run);
  await tell(call, run, 'created');
  if (run.status === 'completed') await tell(call, run, 'completed');
  return created(checkRunJson(call.world, call.repo, run));
}

function runOf(call: RepoCall): CheckRun {
  const run = call.repo.checkRuns.find((one) => one.id === Number(call.params.check_run_id));
  if (!run) throw notFound();
  return run;
}

async function update(call: RepoCall): Promise<Reply> {
  const run = runOf(call);
  const appId = requireApp(call);
  if (run.appId !== appId)
    throw problem(
      403,
      `Invalid app_id \`${appId}\` - check run can only be modified by the GitHub App that created it.`,
    );
  const before = run.status;
  apply(call, run);
  if (before !== 'completed' && run.status === 'completed') await tell(call, run, 'completed');
  return ok(checkRunJson(call.world, call.repo, run));
}

/** The newest of each name and App, unless all are asked for. */
function latest(runs: readonly CheckRun[]): CheckRun[] {
  return [...new Map(runs.map((run) => [`${run.appId} ${run.name}`, run])).values()];
}

async function list(call: RepoCall): Promise<Reply> {
  const { sha } = await mustCommit(call, call.params.ref ?? '');
  const { query } = call;
  const asked = (name: string, value: unknown) => !query.has(name) || query.get(name) === String(value);
  const there = call.repo.checkRuns.filter((run) => run.headSha === sha);
  const shown = (query.get('filter') === 'all' ? there : latest(there)).filter(
    (run) => asked('check_name', run.name) && asked('status', run.status) && asked('app_id', run.appId),
  );
  const path = `/repos/${call.params.owner}/${call.params.repo}/commits/${call.params.ref}/check-runs`;
  const check_runs = slice(shown, pageOf(call)).map((run) => checkRunJson(call.world, call.repo, run));
  return ok({ total_count: shown.length, check_runs }, linkHeader(call, { path, total: shown.length }));
}

/** Check runs. */
export const checkRoutes: readonly Route[] = [
  repoRoute(`POST ${RUNS}`, 'checks:write', create),
  repoRoute(`GET ${ONE}`, 'checks:read', (call) => ok(checkRunJson(call.world, call.repo, runOf(call)))),
  repoRoute(`PATCH ${ONE}`, 'checks:write', update),
  repoRoute('GET /repos/{owner}/{repo}/commits/{ref...}/check-runs', 'checks:read', list),
];
