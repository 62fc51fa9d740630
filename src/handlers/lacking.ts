import { upsertProject } from '../db/accounts.ts';
import { recordAudit } from '../db/audit.ts';
import { today } from '../db/time.ts';
import { GitHubError, MINT_ROUTE } from '../github/errors.ts';
import { readPermission } from '../github/permissions.ts';
import { admit } from '../services/access/sender.ts';
import type { Deps, Unit } from '../services/deps.ts';
import { missingPermissions } from '../services/preflight/prepare.ts';
import { defaultSettings } from '../services/settings/schema.ts';
import { ask } from '../services/spec/commands.ts';
import { handled, type Verdict } from './handler.ts';
import type { LabelEvent } from './payloads.ts';
import { projectOf, repoRefOf } from './repo.ts';
import { senderOf } from './sender.ts';

/** What the installation lacks, in sentences for the person who has to tell its owner. */
export type Lacking = readonly string[];

/**
 * What a label's event means where the settings can't be read because the installation grants too little: somebody who
 * may start a spec is told so, with the token that is granted. Without the settings only the usual label is known.
 * @throws the failure itself where it is another one, or where nobody is to be told
 */
export async function lackingFor(deps: Deps, payload: LabelEvent, failure: unknown): Promise<Lacking> {
  const refused =
    failure instanceof GitHubError && failure.callSite === MINT_ROUTE && failure.kind === 'forbidden';
  const sender = senderOf(payload);
  if (!refused || payload.label.name !== defaultSettings.label || sender.isBot) throw failure;
  const github = deps.github.within({ timeoutMs: deps.timing.gatherTimeoutMs });
  const repo = repoRefOf(payload);
  const { permission } = await readPermission(github, repo, sender.login);
  const facts = { permission, allowBots: [], isPrivate: payload.repository.private };
  if (admit(sender, facts).kind === 'refused') throw failure;
  const problems = await missingPermissions(deps, repo);
  if (problems.length === 0) throw failure;
  return problems;
}

/** Says once a day and issue what the installation lacks. */
export async function tellLacking(
  deps: Deps,
  unit: Unit,
  { payload, lacking }: { payload: LabelEvent; lacking: Lacking },
): Promise<Verdict> {
  const { repository, issue, sender, label } = payload;
  await upsertProject(unit.trx, projectOf(payload));
  await recordAudit(unit.trx, {
    specId: null,
    repositoryId: repository.id,
    actor: sender.login,
    action: 'start',
    decision: 'refused',
    reason: 'the installation lacks permissions',
    delivery: unit.delivery,
  });
  await ask(deps, unit, {
    effect_key: `lacking/${repository.id}/${issue.number}/${await today(unit.trx)}`,
    spec_id: null,
    repository_id: repository.id,
    kind: 'lacking_comment',
    payload: { issue: issue.number, login: sender.login, label: label.name, problems: [...lacking] },
  });
  return handled('the installation lacks permissions, and the sender was told');
}
