import { recordAudit } from '../db/audit.ts';
import { findLiveSpec, findNewestSpec, type SpecRow } from '../db/specs.ts';
import type { Db, Trx } from '../db/types.ts';
import { StaleError } from '../errors.ts';
import { findPullByHead, type Pull, readPull } from '../github/pulls.ts';
import type { Deps, Unit } from '../services/deps.ts';
import type { SpecInput } from '../services/spec/inputs.ts';
import type { SpecSettings } from '../services/spec/start.ts';
import { defineHandler, type Handler, handled, ignored, type Verdict } from './handler.ts';
import { askIssue, type IssueNow } from './issue-now.ts';
import { type IssueEvent, issueEvent, type LabelEvent, labelEvent } from './payloads.ts';
import { repoRefOf } from './repo.ts';
import { tell } from './tell.ts';

/** Taking the label away takes the request back, unless it was set again before we heard of it. */
export const issuesUnlabeled = defineHandler<LabelEvent>({
  payload: labelEvent,
  async gather(deps, payload) {
    const spec = await findLiveSpec(deps.db, payload.repository.id, payload.issue.number);
    if (spec === null || labelOf(spec) !== payload.label.name) return {};
    return { issue: await askIssue(deps, payload) };
  },
  async decide(deps, unit, { payload, gathered }) {
    const spec = await findLiveSpec(unit.trx, payload.repository.id, payload.issue.number);
    if (!spec) return ignored('the issue has no live spec');
    const label = labelOf(spec);
    if (payload.label.name !== label)
      return ignored(`"${payload.label.name}" is not the label that started the spec`);
    if (gathered.issue === undefined) throw new StaleError('the spec came while the questions were asked');
    if ((gathered.issue as IssueNow).labels.includes(label)) return ignored(`"${label}" was set again`);
    const by = payload.sender.login;
    return tell(deps, unit, { spec, input: { type: 'label_removed', label, by } });
  },
});

function labelOf(spec: SpecRow): string {
  return (spec.settings as SpecSettings).settings.label;
}

/**
 * A merge closes the issue too, and the two events come in either order: where there is a pull request, it is asked
 * first, be it that nobody told us of it yet.
 */
function onEnd(what: 'closed' | 'deleted' | 'transferred'): Handler {
  return defineHandler<IssueEvent>({
    payload: issueEvent,
    async gather(deps, payload) {
      const spec = await findOpenEnded(deps.db, payload);
      if (!spec) return {};
      const known = spec.pull_request_number;
      const pull = await askPull(deps, payload, spec);
      return pull?.merged ? { known, pull } : { known, pull, issue: await askIssue(deps, payload) };
    },
    async decide(deps, unit, { payload, gathered }) {
      const spec = await findOpenEnded(unit.trx, payload);
      if (!spec) return ignored('the issue has no spec that could go on');
      if (gathered.known !== spec.pull_request_number) {
        throw new StaleError('the pull request came while the questions were asked');
      }
      const pull = gathered.pull as Pull | null;
      const by = payload.sender.login;
      if (pull?.merged) {
        const { mergeSha = null, headSha, number, url } = pull;
        const input: SpecInput = { type: 'pull_merged', mergeSha, headSha, by, pull: { number, url } };
        return tell(deps, unit, { spec, input });
      }
      if ((gathered.issue as IssueNow).state === 'open') return ignored('the issue is open again');
      if (pull) return note(unit, payload, { spec, pull });
      const cause = `@${by} ${what} the issue.`;
      return tell(deps, unit, { spec, input: { type: 'cancelled', cause, by } });
    },
  });
}

export const issuesClosed = onEnd('closed');
export const issuesDeleted = onEnd('deleted');
export const issuesTransferred = onEnd('transferred');

/** The issue's live spec, or a failed one, which a label would wake: a closed issue is the end of both. */
async function findOpenEnded(trx: Db | Trx, { repository, issue }: IssueEvent): Promise<SpecRow | null> {
  const live = await findLiveSpec(trx, repository.id, issue.number);
  if (live) return live;
  const newest = await findNewestSpec(trx, repository.id, issue.number);
  return newest?.status === 'failed' ? newest : null;
}

/** The spec's pull request as it is now, found by its branch where its number is not known yet. */
async function askPull(deps: Deps, payload: IssueEvent, spec: SpecRow): Promise<Pull | null> {
  const github = deps.github.within({ timeoutMs: deps.timing.gatherTimeoutMs });
  const repo = repoRefOf(payload);
  const { pull_request_number: number, branch_name: branch } = spec;
  if (number === null) {
    if (branch === null || spec.phase !== 'publish') return null;
    return (await findPullByHead(github, repo, { branch, state: 'all' })) ?? null;
  }
  const pull = await readPull(github, repo, number);
  return pull.kind === 'found' ? pull : null;
}

async function note(
  unit: Unit,
  payload: IssueEvent,
  { spec, pull }: { spec: SpecRow; pull: Pull },
): Promise<Verdict> {
  const reason = `pull request #${pull.number} is ${pull.state}: the spec follows it`;
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
