import { readProject } from '../../db/accounts.ts';
import { lastFailures, listAccepted } from '../../db/artifacts.ts';
import { listLosses } from '../../db/sandboxes.ts';
import type { SpecRow } from '../../db/specs.ts';
import { listTasks } from '../../db/tasks.ts';
import { assertNever } from '../../errors.ts';
import type { GateReport } from '../branches/report.ts';
import type { Deps } from '../deps.ts';
import { adviceOn, sentenceOf } from '../sandboxes/losses.ts';
import { attemptInRound } from '../spec/attempts.ts';
import type { Notice } from '../spec/outcome.ts';
import type { Artifacts } from '../spec/phases/definition.ts';
import { approvalReason } from '../spec/publish-approval.ts';
import { publishedSha } from '../spec/published-sha.ts';
import type { Phase } from '../spec/states.ts';
import { loadWork, settingsOf } from '../spec/work.ts';
import { renderApproval } from './approval.ts';
import { compareUrl } from './build-view.ts';
import {
  renderArtifacts,
  renderClosedWithoutPull,
  renderDiffRefused,
  renderFailure,
  renderHeld,
  renderPreflightFailure,
  renderPullFailed,
  renderPullReady,
  renderSandboxLost,
} from './comments.ts';

/** The accepted artifacts of a spec as one collapsed comment. */
export async function artifactsText(deps: Deps, spec: SpecRow): Promise<string> {
  const rows = await listAccepted(deps.db, spec.id);
  const artifacts = Object.fromEntries(rows.map((row) => [row.phase, row.content])) as Artifacts;
  return renderArtifacts(artifacts, spec.id);
}

/** The words of one notice, made from what the database says now. */
export async function noticeText(deps: Deps, of: { spec: SpecRow; notice: Notice }): Promise<string> {
  const { spec, notice } = of;
  const addressed = {
    requester: spec.requester_login,
    specId: spec.id,
    label: settingsOf(spec).label,
  };
  switch (notice) {
    case 'not_started':
      return renderPreflightFailure({ ...addressed, problems: causeOf(spec).split('\n') });
    case 'failed':
      return failureText(deps, spec, addressed);
    case 'sandbox_lost':
      return lostText(deps, spec, addressed);
    case 'held':
      return renderHeld({ ...addressed, cause: causeOf(spec) });
    case 'refused':
      return renderDiffRefused({
        ...addressed,
        refusals: causeOf(spec)
          .split('\n')
          .map((reason) => ({ reason })),
      });
    case 'approve_publish':
      return approvalText(deps, spec, addressed);
    case 'pull_ready':
      return pullReadyText(deps, spec, addressed);
    case 'nothing_new':
      return renderClosedWithoutPull({ ...addressed, baseBranch: spec.base_branch ?? 'the base branch' });
    case 'pr_failed':
      return pullFailedText(deps, spec, addressed);
    default:
      return assertNever(notice, 'notice');
  }
}

interface Addressed {
  readonly requester: string;
  readonly specId: string;
  readonly label: string;
}

function causeOf(spec: SpecRow): string {
  return spec.cause ?? 'The cause was not recorded.';
}

async function failureText(deps: Deps, spec: SpecRow, addressed: Addressed): Promise<string> {
  return renderFailure({
    ...addressed,
    phase: spec.phase as Phase | null,
    attempts: attemptInRound(spec),
    cause: causeOf(spec),
    failures: spec.phase === null ? [] : await lastFailures(deps.db, spec.id, spec.phase),
  });
}

async function lostText(deps: Deps, spec: SpecRow, addressed: Addressed): Promise<string> {
  const losses = await listLosses(deps.db, spec.id, spec.ended_at);
  const tasks = await listTasks(deps.db, spec.id);
  return renderSandboxLost({
    ...addressed,
    phase: spec.phase as Phase,
    losses: losses.map(sentenceOf),
    advice: adviceOn(losses.at(-1) ?? ''),
    tasks: { done: tasks.filter(({ state }) => state === 'done').length, all: tasks.length },
  });
}

async function approvalText(deps: Deps, spec: SpecRow, addressed: Addressed): Promise<string> {
  const project = await readProject(deps.db, spec.repository_id);
  const web = `${deps.github.webUrl}/${project?.owner}/${project?.name}`;
  const gate = spec.gate as GateReport;
  return renderApproval({
    ...addressed,
    reason: approvalReason(spec) ?? { kind: 'settings' },
    gate,
    compareUrl: `${web}/compare/${spec.base_branch}...${gate.sha}`,
  });
}

async function pullReadyText(deps: Deps, spec: SpecRow, addressed: Addressed): Promise<string> {
  const work = await loadWork(deps.db, spec);
  return renderPullReady({
    ...addressed,
    pull: { number: spec.pull_request_number!, url: spec.pull_request_url! },
    taskCount: work.tasks.length,
    requirementCount: work.artifacts.requirements?.requirements.length ?? 0,
    verified: work.settings.verify === null ? null : true,
    refusals: [],
  });
}

async function pullFailedText(deps: Deps, spec: SpecRow, addressed: Addressed): Promise<string> {
  const project = await readProject(deps.db, spec.repository_id);
  const web = `${deps.github.webUrl}/${project?.owner}/${project?.name}`;
  return renderPullFailed({
    ...addressed,
    cause: causeOf(spec),
    branch: spec.branch_name ?? '',
    compareUrl: spec.head_sha === publishedSha(spec, spec.checkpoint_sha) ? compareUrl(web, spec) : null,
  });
}
