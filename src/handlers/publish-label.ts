/** The label by which a person lets finished work be published: their permission, and the commit that waits. */
import { recordApproval } from '../db/approvals.ts';
import { recordAudit } from '../db/audit.ts';
import { findLiveSpec, type SpecRow } from '../db/specs.ts';
import { readPermission } from '../github/permissions.ts';
import { admit, type Permission } from '../services/access/sender.ts';
import type { Deps, Unit } from '../services/deps.ts';
import { advance } from '../services/spec/advance.ts';
import { ask } from '../services/spec/commands.ts';
import { waitingSha } from '../services/spec/publish-approval.ts';
import { PUBLISH_LABEL } from '../services/spec/rule-parts.ts';
import { type Gathered, handled, ignored, type Verdict } from './handler.ts';
import { askIssue, type IssueNow } from './issue-now.ts';
import type { LabelEvent } from './payloads.ts';
import { repoRefOf } from './repo.ts';
import { senderOf } from './sender.ts';

/** GitHub's clock and ours may differ by that much. */
const SKEW_MS = 60_000;

/** The sender's permission, asked live, and whether the label still stands. A bot may not publish. */
export async function gatherPublish(deps: Deps, payload: LabelEvent): Promise<Gathered> {
  const { isBot, login } = senderOf(payload);
  const github = deps.github.within({ timeoutMs: deps.timing.gatherTimeoutMs });
  const [issue, { permission }] = await Promise.all([
    askIssue(deps, payload),
    isBot ? { permission: 'none' } : readPermission(github, repoRefOf(payload), login),
  ]);
  return { issue, permission };
}

/** Lets exactly the commit be published that waited when the label was set. */
export async function decidePublish(
  deps: Deps,
  unit: Unit,
  { payload, gathered }: { payload: LabelEvent; gathered: Gathered },
): Promise<Verdict> {
  // What `gather` has answered for this label, read back from the delivery, where it is plain JSON.
  const { issue, permission } = gathered as unknown as { issue: IssueNow; permission: Permission };
  const spec = await findLiveSpec(unit.trx, payload.repository.id, payload.issue.number);
  const sha = spec && waitingSha(spec);
  if (!spec || !sha) return ignored('no finished work waits for an approval');
  if (!issue.labels.includes(PUBLISH_LABEL)) return ignored(`"${PUBLISH_LABEL}" was taken away again`);
  const admission = admit(senderOf(payload), {
    permission,
    allowBots: [],
    isPrivate: payload.repository.private,
  });
  if (admission.kind === 'refused') return refuse(deps, unit, { payload, spec });
  if (isOlder(payload, spec)) return ignored('the label is older than the work that waits');
  const advanced = await advance(deps, unit, {
    specId: spec.id,
    input: { type: 'publish_approved', sha, by: payload.sender.login },
  });
  if (advanced.kind === 'obsolete') return ignored(advanced.reason);
  await recordApproval(unit.trx, { specId: spec.id, hash: sha, by: payload.sender });
  await audit(unit, { payload, spec, decision: 'done', reason: `commit ${sha}` });
  return handled(`commit ${sha} of spec ${spec.id} may be published`);
}

/** A label told of late was set before anybody could see this commit. */
function isOlder({ issue }: LabelEvent, spec: SpecRow): boolean {
  return !!issue.updated_at && issue.updated_at.getTime() < spec.updated_at.getTime() - SKEW_MS;
}

/** 😕 on the issue: who may set labels only is told by that, and the comment says who may publish. */
async function refuse(
  deps: Deps,
  unit: Unit,
  { payload, spec }: { payload: LabelEvent; spec: SpecRow },
): Promise<Verdict> {
  const reason = `publishing needs a person with write permission, and @${payload.sender.login} is none`;
  await audit(unit, { payload, spec, decision: 'refused', reason });
  await ask(deps, unit, {
    effect_key: `refusal/${spec.repository_id}/${spec.issue_number}/reaction`,
    spec_id: null,
    repository_id: spec.repository_id,
    kind: 'refuse',
    payload: { issue: spec.issue_number },
  });
  return handled(`refused: ${reason}`);
}

async function audit(
  unit: Unit,
  of: { payload: LabelEvent; spec: SpecRow; decision: 'done' | 'refused'; reason: string },
): Promise<void> {
  await recordAudit(unit.trx, {
    specId: of.spec.id,
    repositoryId: of.spec.repository_id,
    actor: of.payload.sender.login,
    action: 'approve_publish',
    decision: of.decision,
    reason: of.reason,
    delivery: unit.delivery,
  });
}
