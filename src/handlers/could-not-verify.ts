import { upsertProject } from '../db/accounts.ts';
import { recordAudit } from '../db/audit.ts';
import type { Deps, Unit } from '../services/deps.ts';
import { ask } from '../services/spec/commands.ts';
import type { Delivery } from './dispatcher.ts';
import { handled, ignored, type Verdict } from './handler.ts';
import { labelEvent } from './payloads.ts';
import { projectOf } from './repo.ts';

/** GitHub gave no clear answer for too long: nobody is accused, and the person is asked to try again. */
export async function unverified(deps: Deps, unit: Unit, delivery: Delivery): Promise<Verdict> {
  if (delivery.name !== 'issues' || delivery.action !== 'labeled')
    return ignored('could not be verified in time');
  const parsed = labelEvent.safeParse(delivery.payload);
  if (!parsed.success) return ignored('could not be verified in time');
  const { issue, repository, sender, label } = parsed.data;
  await upsertProject(unit.trx, projectOf(parsed.data));
  await recordAudit(unit.trx, {
    specId: null,
    repositoryId: repository.id,
    actor: sender.login,
    action: 'start',
    decision: 'refused',
    reason: 'could not verify',
    delivery: unit.delivery,
  });
  await ask(deps, unit, {
    effect_key: `unverified/${repository.id}/${issue.number}/${delivery.guid}`,
    spec_id: null,
    repository_id: repository.id,
    kind: 'unverified_comment',
    payload: { issue: issue.number, login: sender.login, label: label.name },
  });
  return handled('could not verify the sender in time, and said so');
}
