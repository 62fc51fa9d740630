import { lastFailures } from '../../db/artifacts.ts';
import { type EffectRow, readEffect } from '../../db/effects.ts';
import { listRefusals } from '../../db/egress-refusals.ts';
import { readSpecSpend } from '../../db/model-calls.ts';
import { newestSandbox } from '../../db/sandboxes.ts';
import { listSpecEvents, type SpecEventRow } from '../../db/spec-events.ts';
import { readWaiting } from '../../db/spec-places.ts';
import type { SpecRow } from '../../db/specs.ts';
import { listTasks, type TaskRow } from '../../db/tasks.ts';
import type { RepoRef } from '../../github/client.ts';
import { describeAgents } from '../agents/choose.ts';
import type { Deps } from '../deps.ts';
import { attemptInRound } from '../spec/attempts.ts';
import { publishedSha } from '../spec/published-sha.ts';
import { type Hold, isLive, type Phase, phases, type Status } from '../spec/states.ts';
import { settingsOf } from '../spec/work.ts';
import type { BranchView, PhaseView, StatusView, TaskView } from './view.ts';

/** More events than one spec ever has. */
const MOST_EVENTS = 5000;
/** More hosts than anybody reads of. */
const MOST_HOSTS = 10;

/** Reads everything that the status comment shows. */
export async function buildView(deps: Deps, spec: SpecRow, repo: RepoRef): Promise<StatusView> {
  const [events, tasks, sandbox, failures, deletion, models, waiting, refusedHosts] = await Promise.all([
    listSpecEvents(deps.db, spec.id, { after: 0, limit: MOST_EVENTS, type: null }),
    listTasks(deps.db, spec.id),
    newestSandbox(deps.db, spec.id),
    spec.phase === null ? [] : lastFailures(deps.db, spec.id, spec.phase),
    readEffect(deps.db, `spec/${spec.id}/delete_branch/${spec.round}`),
    readSpecSpend(deps.db, spec.id),
    readWaiting(deps.db, spec.id),
    listRefusals(deps.db, spec.id, MOST_HOSTS),
  ]);
  const web = `${deps.github.webUrl}/${repo.owner}/${repo.name}`;
  return {
    specId: spec.id,
    issueNumber: spec.issue_number,
    status: spec.status as Status,
    phase: spec.phase as Phase | null,
    attempt: attemptInRound(spec),
    maxAttempts: settingsOf(spec).limits.attempts,
    hold: spec.hold as Hold | null,
    // A spec that was just asked for has no place yet, and most often gets one at once.
    waiting: waiting && waiting.atWork + waiting.place > deps.models.specsAtOnce ? waiting : null,
    phases: phases.map((name) => phaseView(name, { spec, events, failures })),
    tasks: tasks.map((task) => taskView(task, tasks, spec)),
    branch: spec.branch_name
      ? { name: spec.branch_name, url: `${web}/tree/${spec.branch_name}`, ...fateOf(deletion) }
      : null,
    compareUrl: compareUrl(web, spec),
    pull:
      spec.pull_request_number === null
        ? null
        : { number: spec.pull_request_number, url: spec.pull_request_url! },
    mergeSha: spec.merge_sha,
    cause: spec.cause,
    sandbox: sandbox ? { provider: sandbox.provider, isolated: sandbox.isolated ?? true } : null,
    agent: describeAgents(deps.agents, settingsOf(spec)),
    models: models && { ...models, limit: Math.round(settingsOf(spec).budget.specUsd * 1e6) },
    refusedHosts,
    requester: spec.requester_login,
    label: settingsOf(spec).label,
    createdAt: spec.created_at,
    updatedAt: spec.updated_at,
    endedAt: spec.ended_at,
  };
}

/** What became of the branch at the end, as its deletion says. */
function fateOf(deletion: EffectRow | null): Pick<BranchView, 'deleted' | 'kept'> {
  if (!deletion) return {};
  if (deletion.state === 'abandoned') return { deleted: false, kept: 'GitHub did not let it be deleted' };
  const why = /^kept: (.+)$/s.exec(deletion.external_id ?? '')?.[1] ?? null;
  return { deleted: deletion.state === 'sent' && why === null, kept: why };
}

/** Where people see the change without a pull request. */
export function compareUrl(web: string, spec: SpecRow): string | null {
  if (spec.branch_name === null || spec.base_branch === null) return null;
  return `${web}/compare/${spec.base_branch}...${spec.branch_name}`;
}

function phaseView(
  name: Phase,
  at: { spec: SpecRow; events: readonly SpecEventRow[]; failures: readonly string[] },
): PhaseView {
  const { spec } = at;
  const own = at.events.filter((event) => event.phase === name);
  const starts = own.filter((event) => event.type === 'spec.phase_started');
  const last = starts.at(-1);
  const completed = own.find(
    (event) => event.type === 'spec.phase_completed' && event.attempt === last?.attempt,
  );
  const current = spec.phase === name && !completed;
  const attempt = last ? attemptInRound(last) : 1;
  const state = completed ? 'done' : current ? currentState(spec) : 'pending';
  return {
    name,
    state,
    startedAt:
      starts.find((event) => event.attempt === (last?.attempt ?? 1) - attempt + 1)?.created_at ?? null,
    endedAt: completed?.created_at ?? null,
    attempt,
    ...(current && attempt > 1 ? { failures: at.failures } : {}),
    ...(completed?.payload.command === null ? { note: 'no command is set, so nothing was run' } : {}),
  };
}

function currentState(spec: SpecRow): PhaseView['state'] {
  if (spec.status === 'failed' || spec.status === 'pr_failed') return 'failed';
  return isLive(spec.status as Status) && spec.status !== 'queued' ? 'running' : 'pending';
}

function taskView(task: TaskRow, tasks: readonly TaskRow[], spec: SpecRow): TaskView {
  const first = tasks.find(({ state }) => state === 'pending');
  const current = first?.ordinal === task.ordinal && spec.phase === 'execute';
  const { id, title, state } = task;
  const sha = publishedSha(spec, task.commit_sha);
  if (!current) return { id, title, state, sha };
  return { id, title, state: spec.status === 'failed' ? 'failed' : 'running', sha };
}
