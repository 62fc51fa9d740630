import { upsertProject } from '../db/accounts.ts';
import { recordAudit } from '../db/audit.ts';
import { findLiveSpec, findNewestSpec, refreezeSettings, type SpecRow } from '../db/specs.ts';
import { today } from '../db/time.ts';
import { readPermission } from '../github/permissions.ts';
import { type Admission, admit, type Permission } from '../services/access/sender.ts';
import type { Deps, Unit } from '../services/deps.ts';
import type { MergedSettings } from '../services/settings/load.ts';
import { readSettings } from '../services/settings/read.ts';
import { advance } from '../services/spec/advance.ts';
import { ask } from '../services/spec/commands.ts';
import { stateLabels } from '../services/spec/rule-parts.ts';
import { frozenHash, startSpec } from '../services/spec/start.ts';
import { defineHandler, type Gathered, handled, ignored, type Verdict } from './handler.ts';
import { type LabelEvent, labelEvent } from './payloads.ts';
import { projectOf, repoRefOf } from './repo.ts';
import { senderOf } from './sender.ts';

interface Answers {
  readonly settings: MergedSettings;
  readonly permission: Permission;
}

/** Starts a spec, or retries a failed one. The event's own label counts, not the set of labels on the issue. */
export const issuesLabeled = defineHandler<LabelEvent>({
  payload: labelEvent,

  async gather(deps, payload) {
    if (pointless(payload)) return {};
    const repo = repoRefOf(payload);
    const settings = await readSettings(deps, repo);
    if (payload.label.name !== settings.settings.label) return { settings };
    if (senderOf(payload).isBot) return { settings, permission: 'none' };
    const github = deps.github.within({ timeoutMs: deps.timing.gatherTimeoutMs });
    const { permission } = await readPermission(github, repo, payload.sender.login);
    return { settings, permission };
  },

  async decide(deps, unit, { payload, gathered }) {
    const reason = pointless(payload);
    if (reason) return ignored(reason);
    const { settings, permission } = answersOf(gathered);
    const { label, allowBots } = settings.settings;
    if (payload.label.name !== label)
      return ignored(`"${payload.label.name}" is not the label that starts a spec`);
    const isPrivate = payload.repository.private;
    const admission = admit(senderOf(payload), { permission, allowBots, isPrivate });
    await upsertProject(unit.trx, projectOf(payload));
    if (admission.kind === 'refused') return refuse(deps, unit, { payload, admission });
    return start(deps, unit, { payload, settings });
  },
});

/** Why a label starts nothing whatever the settings say, so that GitHub need not be asked; null when it may. */
function pointless({ issue, label }: LabelEvent): string | null {
  if (Object.values<string>(stateLabels).includes(label.name)) return `"${label.name}" is a label of our own`;
  if (issue.pull_request) return 'labels on pull requests start nothing';
  return issue.state === 'open' ? null : 'the issue is closed';
}

/** What `gather` above answered, read back from the delivery. */
function answersOf(gathered: Gathered): Answers {
  return gathered as unknown as Answers;
}

interface Start {
  readonly payload: LabelEvent;
  readonly settings: MergedSettings;
}

async function start(deps: Deps, unit: Unit, asked: Start): Promise<Verdict> {
  const { repository, issue } = asked.payload;
  const live = await findLiveSpec(unit.trx, repository.id, issue.number);
  if (live?.status === 'pr_failed') return retry(deps, unit, { ...asked, spec: live });
  if (live) return join(unit, asked.payload, live);
  const newest = await findNewestSpec(unit.trx, repository.id, issue.number);
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
  await refreezeSettings(unit.trx, specId, again.settings);
  return handled(`spec ${specId} is tried again`);
}

/** Another text is another request: nothing that was planned for the old one holds. */
async function replace(deps: Deps, unit: Unit, { spec, payload }: Start & { spec: SpecRow }): Promise<void> {
  const by = payload.sender.login;
  const cause = `@${by} started it anew with another text.`;
  await advance(deps, unit, { specId: spec.id, input: { type: 'cancelled', cause, by } });
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
