import { recordAudit } from '../db/audit.ts';
import { findLiveSpec, findNewestSpec, type SpecRow } from '../db/specs.ts';
import type { Trx } from '../db/types.ts';
import { StaleError } from '../errors.ts';
import { readPull } from '../github/pulls.ts';
import type { Deps, Unit } from '../services/deps.ts';
import type { SpecSettings } from '../services/spec/start.ts';
import { isLive, type Status } from '../services/spec/states.ts';
import { defineHandler, handled, ignored, type Verdict } from './handler.ts';
import { type IssueEvent, issueEvent, type LabelEvent, labelEvent } from './payloads.ts';
import { repoRefOf } from './repo.ts';
import { tell } from './tell.ts';

/** Taking the label away takes the request back. */
export const issuesUnlabeled = defineHandler<LabelEvent>({
  payload: labelEvent,
  async decide(deps, unit, { payload }) {
    const spec = await findLiveSpec(unit.trx, payload.repository.id, payload.issue.number);
    if (!spec) return ignored('the issue has no live spec');
    const { label } = (spec.settings as SpecSettings).settings;
    if (payload.label.name !== label)
      return ignored(`"${payload.label.name}" is not the label that started the spec`);
    const by = payload.sender.login;
    return tell(deps, unit, { spec, input: { type: 'label_removed', label, by } });
  },
});

/**
 * A merge closes the issue too, and the two events come in either order: where there is a pull request, it is asked
 * first.
 */
export const issuesClosed = defineHandler<IssueEvent>({
  payload: issueEvent,
  async gather(deps, payload) {
    const spec = await findLiveSpec(deps.db, payload.repository.id, payload.issue.number);
    if (spec?.pull_request_number == null) return {};
    const github = deps.github.within({ timeoutMs: deps.timing.gatherTimeoutMs });
    return { pull: await readPull(github, repoRefOf(payload), spec.pull_request_number) };
  },
  async decide(deps, unit, { payload, gathered }) {
    const spec = await findOpenEnded(unit.trx, payload);
    if (!spec) return ignored('the issue has no spec that could go on');
    if (spec.pull_request_number !== null && gathered.pull === undefined && isLive(spec.status as Status)) {
      throw new StaleError('the pull request came while the questions were asked');
    }
    const pull = gathered.pull as Awaited<ReturnType<typeof readPull>> | undefined;
    const by = payload.sender.login;
    if (pull?.kind === 'found' && pull.merged) {
      const { mergeSha = null, headSha } = pull;
      return tell(deps, unit, { spec, input: { type: 'pull_merged', mergeSha, headSha, by } });
    }
    if (pull?.kind === 'found' && pull.state === 'open') return note(unit, payload, spec);
    const cause = `@${by} closed the issue.`;
    return tell(deps, unit, { spec, input: { type: 'cancelled', cause, by } });
  },
});

/** The issue's live spec, or a failed one, which a label would wake: a closed issue is the end of both. */
async function findOpenEnded(trx: Trx, { repository, issue }: IssueEvent): Promise<SpecRow | null> {
  const live = await findLiveSpec(trx, repository.id, issue.number);
  if (live) return live;
  const newest = await findNewestSpec(trx, repository.id, issue.number);
  return newest?.status === 'failed' ? newest : null;
}

async function note(unit: Unit, payload: IssueEvent, spec: SpecRow): Promise<Verdict> {
  const reason = `pull request #${spec.pull_request_number} is open: the spec follows it`;
  await recordNote(unit, { spec, actor: payload.sender.login, action: 'close_issue', reason });
  return ignored(reason);
}

/** The text stays as it was when the label was set; the change is noted. */
export const issuesEdited = defineHandler<IssueEvent>({
  payload: issueEvent,
  async decide(_deps: Deps, unit, { payload }) {
    const spec = await findLiveSpec(unit.trx, payload.repository.id, payload.issue.number);
    if (!spec) return ignored('the issue has no live spec');
    const reason = 'the spec keeps the title and body that the label vouched for';
    await recordNote(unit, { spec, actor: payload.sender.login, action: 'edit_issue', reason });
    return handled(reason);
  },
});

async function recordNote(
  unit: Unit,
  note: { spec: SpecRow; actor: string; action: string; reason: string },
): Promise<void> {
  await recordAudit(unit.trx, {
    specId: note.spec.id,
    repositoryId: note.spec.repository_id,
    actor: note.actor,
    action: note.action,
    decision: 'noted',
    reason: note.reason,
    delivery: unit.delivery,
  });
}
