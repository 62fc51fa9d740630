import { upsertProject } from '../db/accounts.ts';
import { recordAudit } from '../db/audit.ts';
import { findNewestSpec, type SpecRow } from '../db/specs.ts';
import { readPermission } from '../github/permissions.ts';
import { type Admission, admit, type Permission } from '../services/access/sender.ts';
import type { Deps, Unit } from '../services/deps.ts';
import type { MergedSettings } from '../services/settings/load.ts';
import { readSettings } from '../services/settings/read.ts';
import { advance } from '../services/spec/advance.ts';
import { ask } from '../services/spec/commands.ts';
import { startSpec } from '../services/spec/start.ts';
import { isLive, type Status } from '../services/spec/states.ts';
import { defineHandler, type Gathered, handled, ignored, type Verdict } from './handler.ts';
import { type LabelEvent, labelEvent } from './payloads.ts';
import { repoRefOf } from './repo.ts';
import { senderOf } from './sender.ts';

interface Answers {
  readonly settings: MergedSettings;
  readonly permission: Permission;
}

/** Starts a spec, or retries a failed one. The event's own label counts, not the set of labels on the issue. */
export const issuesLabeled = defineHandler<LabelEvent>({
  payload: labelEvent,

  async gather(deps, payload) {
    const repo = repoRefOf(payload);
    const settings = await readSettings(deps, repo);
    if (payload.label.name !== settings.settings.label) return { settings };
    if (senderOf(payload).isBot) return { settings, permission: 'none' };
    const github = deps.github.within({ timeoutMs: deps.timing.gatherTimeoutMs });
    const { permission } = await readPermission(github, repo, payload.sender.login);
    return { settings, permission };
  },

  async decide(deps, unit, { payload, gathered }) {
    const { settings, permission } = answersOf(gathered);
    const { label, allowBots } = settings.settings;
    if (payload.label.name !== label) return ignored(`"${payload.label.name}" is not the label that starts a spec`);
    if (payload.issue.pull_request) return ignored('labels on pull requests start nothing');
    if (payload.issue.state !== 'open') return ignored('the issue is closed');
    const isPrivate = payload.repository.private;
    const admission = admit(senderOf(payload), { permission, allowBots, isPrivate });
    await upsertProject(unit.trx, projectOf(payload));
    if (admission.kind === 'refused') return refuse(deps, unit, { payload, admission });
    return start(deps, unit, { payload, settings });
  },
});

function answersOf(gathered: Gathered): Answers {
  return gathered as unknown as Answers;
}

function projectOf({ repository, installation }: LabelEvent): Parameters<typeof upsertProject>[1] {
  return {
    repository_id: repository.id,
    installation_id: installation.id,
    owner: repository.owner.login,
    name: repository.name,
    default_branch: repository.default_branch,
    private: repository.private,
    archived: repository.archived,
  };
}

async function start(
  deps: Deps,
  unit: Unit,
  { payload, settings }: { payload: LabelEvent; settings: MergedSettings },
): Promise<Verdict> {
  const by = payload.sender.login;
  const newest = await findNewestSpec(unit.trx, payload.repository.id, payload.issue.number);
  if (newest && isRetryable(newest)) {
    const advanced = await advance(deps, unit, { specId: newest.id, input: { type: 'retried', by } });
    return advanced.kind === 'advanced' ? handled(`spec ${newest.id} is tried again`) : ignored(advanced.reason);
  }
  if (newest && isLive(newest.status as Status)) return join(unit, payload, newest);
  const spec = await startSpec(deps, unit, { payload, settings });
  return spec ? handled(`spec ${spec.id} started`) : ignored('another label started the spec first');
}

function isRetryable(spec: SpecRow): boolean {
  return spec.status === 'failed' || spec.status === 'pr_failed';
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
    const { rows } = await unit.trx.raw(`select to_char(specwright_now(), 'YYYY-MM-DD') as day`);
    await ask(deps, unit, {
      ...base,
      effect_key: `refusal/${repositoryId}/${payload.sender.id}/${rows[0].day}`,
      kind: 'refusal_comment',
      payload: { issue, login, label: payload.label.name },
    });
  }
  return handled(`refused: ${admission.reason}`);
}
