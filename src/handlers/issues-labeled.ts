import { upsertProject } from '../db/accounts.ts';
import { recordAudit } from '../db/audit.ts';
import { findLiveSpec, findNewestSpec, refreezeSettings, type SpecRow } from '../db/specs.ts';
import { today } from '../db/time.ts';
import { readPermission } from '../github/permissions.ts';
import { type Admission, type AuthorPermission, admit, type Permission } from '../services/access/sender.ts';
import type { Deps, Unit } from '../services/deps.ts';
import type { MergedSettings } from '../services/settings/load.ts';
import { readSettings } from '../services/settings/read.ts';
import { advance } from '../services/spec/advance.ts';
import { ask } from '../services/spec/commands.ts';
import { isModelHold, PUBLISH_LABEL, stateLabels } from '../services/spec/rule-parts.ts';
import { frozenHash, startSpec } from '../services/spec/start.ts';
import type { Hold } from '../services/spec/states.ts';
import { askAuthor } from './author.ts';
import { defineHandler, type Gathered, handled, ignored, type Verdict } from './handler.ts';
import { askIssue, type IssueNow } from './issue-now.ts';
import { type Lacking, lackingFor, tellLacking } from './lacking.ts';
import { type LabelEvent, labelEvent } from './payloads.ts';
import { decidePublish, gatherPublish } from './publish-label.ts';
import { projectOf, repoRefOf } from './repo.ts';
import { senderOf } from './sender.ts';

interface Answers {
  readonly settings: MergedSettings;
  readonly permission: Permission;
  /** Of the issue's author; "bot" for one that the settings allow by name. */
  readonly authorPermission?: AuthorPermission;
  /** Missing where the sender is refused whatever became of the issue. */
  readonly issue?: IssueNow;
  /** Stands alone: nothing else could be asked. */
  readonly lacking?: Lacking;
}

/** Starts a spec, or retries a failed one. The event's own label counts, not the set of labels on the issue. */
export const issuesLabeled = defineHandler<LabelEvent>({
  payload: labelEvent,

  async gather(deps, payload) {
    if (pointless(payload)) return {};
    if (payload.label.name === PUBLISH_LABEL) return gatherPublish(deps, payload);
    const repo = repoRefOf(payload);
    const settings = await readSettings(deps, repo).catch((failure: unknown) => {
      return lackingFor(deps, payload, failure);
    });
    if (isLacking(settings)) return { lacking: settings };
    if (payload.label.name !== settings.settings.label) return { settings };
    const { isBot, login } = senderOf(payload);
    if (isBot && !settings.settings.allowBots.includes(login)) return { settings, permission: 'none' };
    const github = deps.github.within({ timeoutMs: deps.timing.gatherTimeoutMs });
    const [issue, { permission }] = await Promise.all([
      askIssue(deps, payload),
      isBot ? { permission: 'none' as const } : readPermission(github, repo, login),
    ]);
    const authorPermission = await askAuthor(deps, payload, {
      permission,
      allowBots: settings.settings.allowBots,
    });
    return { settings, permission, authorPermission, issue };
  },

  async decide(deps, unit, { payload, gathered }) {
    const reason = pointless(payload);
    if (reason) return ignored(reason);
    if (payload.label.name === PUBLISH_LABEL) return decidePublish(deps, unit, { payload, gathered });
    const { settings, permission, authorPermission, issue, lacking } = answersOf(gathered);
    if (lacking) return tellLacking(deps, unit, { payload, lacking });
    const { label, allowBots } = settings.settings;
    if (payload.label.name !== label)
      return ignored(`"${payload.label.name}" is not the label that starts a spec`);
    const late = issue ? overtaken(issue, label) : null;
    if (late) return ignored(late);
    const isPrivate = payload.repository.private;
    const admission = admit(senderOf(payload), { permission, allowBots, isPrivate });
    await upsertProject(unit.trx, { ...projectOf(payload), reached: true });
    if (admission.kind === 'refused') return refuse(deps, unit, { payload, admission });
    if (!payload.vouched) return askAgain(deps, unit, payload);
    return start(deps, unit, { payload, settings, authorPermission: authorPermission ?? null });
  },
});

function isLacking(answer: MergedSettings | Lacking): answer is Lacking {
  return Array.isArray(answer);
}

/** Why a label starts nothing whatever the settings say, so that GitHub need not be asked; null when it may. */
function pointless({ issue, label }: LabelEvent): string | null {
  if (Object.values<string>(stateLabels).includes(label.name)) return `"${label.name}" is a label of our own`;
  if (issue.pull_request) return 'labels on pull requests start nothing';
  return issue.state === 'open' ? null : 'the issue is closed';
}

/** Why a label that comes late starts nothing any more; null while it holds. */
function overtaken({ state, labels }: IssueNow, label: string): string | null {
  if (state === 'closed') return 'the issue was closed meanwhile';
  return labels.includes(label) ? null : `"${label}" was taken away again`;
}

/** What `gather` above answered, read back from the delivery. */
function answersOf(gathered: Gathered): Answers {
  return gathered as unknown as Answers;
}

interface Start {
  readonly payload: LabelEvent;
  readonly settings: MergedSettings;
  readonly authorPermission: AuthorPermission | null;
}

async function start(deps: Deps, unit: Unit, asked: Start): Promise<Verdict> {
  const { repository, issue } = asked.payload;
  const live = await findLiveSpec(unit.trx, repository.id, issue.number);
  if (live && isModelHold(live.hold as Hold | null)) return goOn(deps, unit, { ...asked, spec: live });
  if (live && live.status !== 'pr_failed') return join(unit, asked.payload, live);
  const newest = live ?? (await findNewestSpec(unit.trx, repository.id, issue.number));
  if (newest?.requested_at && issue.updated_at && issue.updated_at < newest.requested_at) {
    return ignored(`the label is older than the request that spec ${newest.id} follows`);
  }
  if (live?.status === 'pr_failed') return retry(deps, unit, { ...asked, spec: live });
  if (newest?.status === 'failed') {
    if (newest.frozen_hash === frozenHash(issue.title, issue.body ?? '')) {
      return retry(deps, unit, { ...asked, spec: newest });
    }
    await replace(deps, unit, { ...asked, spec: newest });
  }
  const spec = await startSpec(deps, unit, asked);
  return spec ? handled(`spec ${spec.id} started`) : ignored('another label started the spec first');
}

/** The same text again: what was accepted is kept. The settings are those of now, since they may be what failed. */
async function retry(deps: Deps, unit: Unit, again: Start & { spec: SpecRow }): Promise<Verdict> {
  const { id: specId } = again.spec;
  const by = again.payload.sender.login;
  const advanced = await advance(deps, unit, { specId, input: { type: 'retried', by } });
  if (advanced.kind === 'obsolete') return ignored(advanced.reason);
  await refreezeSettings(unit.trx, specId, {
    settings: again.settings,
    requestedAt: again.payload.issue.updated_at ?? null,
  });
  return handled(`spec ${specId} is tried again`);
}

/** Somebody has seen to what held the spec: it goes on under the budgets of now. */
async function goOn(deps: Deps, unit: Unit, again: Start & { spec: SpecRow }): Promise<Verdict> {
  const { id: specId } = again.spec;
  await refreezeSettings(unit.trx, specId, {
    settings: again.settings,
    requestedAt: again.payload.issue.updated_at ?? null,
  });
  const input = { type: 'resumed', by: again.payload.sender.login } as const;
  const advanced = await advance(deps, unit, { specId, input });
  return advanced.kind === 'obsolete' ? ignored(advanced.reason) : handled(`spec ${specId} goes on`);
}

/** Another text is another request: nothing that was planned for the old one holds. */
async function replace(deps: Deps, unit: Unit, { spec, payload }: Start & { spec: SpecRow }): Promise<void> {
  const by = payload.sender.login;
  const cause = `@${by} started it anew with another text.`;
  await advance(deps, unit, { specId: spec.id, input: { type: 'cancelled', cause, by } });
}

/** The label was found late and the text may be another by now: only the person who set it can say so. */
async function askAgain(deps: Deps, unit: Unit, payload: LabelEvent): Promise<Verdict> {
  const { repository, issue, sender, label } = payload;
  const live = await findLiveSpec(unit.trx, repository.id, issue.number);
  if (live) return join(unit, payload, live);
  await ask(deps, unit, {
    effect_key: `unvouched/${repository.id}/${issue.number}/${unit.delivery}`,
    spec_id: null,
    repository_id: repository.id,
    kind: 'unverified_comment',
    payload: { issue: issue.number, login: sender.login, label: label.name, changed: true },
  });
  return handled('the issue changed after the label was set, and its labeller was asked to set it again');
}

async function join(unit: Unit, payload: LabelEvent, spec: SpecRow): Promise<Verdict> {
  const reason = `spec ${spec.id} of @${spec.requester_login} is running already`;
  await recordAudit(unit.trx, {
    specId: spec.id,
    repositoryId: spec.repository_id,
    actor: payload.sender.login,
    action: 'start',
    decision: 'noted',
    reason,
    delivery: unit.delivery,
  });
  return ignored(reason);
}

/** 😕 on the issue, and for people with a role here one explanation a day and repository. */
async function refuse(
  deps: Deps,
  unit: Unit,
  refusal: { payload: LabelEvent; admission: Extract<Admission, { kind: 'refused' }> },
): Promise<Verdict> {
  const { payload, admission } = refusal;
  const { login } = payload.sender;
  const repositoryId = payload.repository.id;
  const issue = payload.issue.number;
  await recordAudit(unit.trx, {
    specId: null,
    repositoryId,
    actor: login,
    action: 'start',
    decision: 'refused',
    reason: admission.reason,
    delivery: unit.delivery,
  });
  const base = { spec_id: null, repository_id: repositoryId };
  await ask(deps, unit, {
    ...base,
    effect_key: `refusal/${repositoryId}/${issue}/reaction`,
    kind: 'refuse',
    payload: { issue },
  });
  if (admission.tell) {
    const day = await today(unit.trx);
    await ask(deps, unit, {
      ...base,
      effect_key: `refusal/${repositoryId}/${payload.sender.id}/${day}`,
      kind: 'refusal_comment',
      payload: { issue, login, label: payload.label.name },
    });
  }
  return handled(`refused: ${admission.reason}`);
}
