import { listWatchedSpecs, type ReconciledRepository, storeReconciled } from '../../../db/reconciled.ts';
import type { Memory } from '../../../github/conditional.ts';
import type { ReachedRepository } from '../../../github/inventory.ts';
import { listOpenIssues } from '../../../github/open-work.ts';
import type { Deps } from '../../deps.ts';
import { readSettings } from '../../settings/read.ts';
import type { Fact } from './fact.ts';
import { issueFacts } from './issues.ts';
import { placeOf } from './place.ts';
import { branchFacts, pullFacts } from './pulls.ts';
import { triggerFacts } from './triggers.ts';

export interface RepositoryTurn {
  readonly installationId: number;
  readonly repository: ReachedRepository;
  readonly row: ReconciledRepository;
  /** The database's time when GitHub was asked for the repositories. */
  readonly now: Date;
  readonly graceSeconds: number;
}

/**
 * Reads what concerns specs of one repository, by lists that do not grow with their number, and tells what is news.
 * What was seen is stored last, so that a pass that dies is done again. @throws RetryableError when GitHub is unclear
 */
export async function reconcileRepository(
  deps: Deps,
  turn: RepositoryTurn,
  tell: (facts: readonly Fact[]) => Promise<void>,
): Promise<void> {
  const { row, repository } = turn;
  const specs = await listWatchedSpecs(deps.db, repository.id, deps.timing.branchGraceDays);
  const memory: Memory = { before: row.seen, after: {} };
  const label = await labelOf(deps, turn);
  const place = placeOf({
    github: deps.github,
    installationId: turn.installationId,
    repository,
    memory,
    label: label.name,
  });
  const open = await listOpenIssues(deps.github, place, label.name);
  // In the order in which they would have come: a merge before the issue that it closes.
  await tell(await pullFacts(place, specs));
  await tell(await branchFacts(place, specs));
  await tell(await issueFacts(place, specs, open));
  const { since, judged } = row;
  const { now, graceSeconds } = turn;
  const missed = await triggerFacts(deps, place, {
    specs,
    open: open.items,
    since,
    judged,
    now,
    graceSeconds,
  });
  await tell(missed.facts);
  await storeReconciled(deps.db, repository.id, {
    label: label.name,
    pushed_at: repository.pushedAt,
    seen: memory.after,
    judged: missed.judged,
    labelRead: label.read,
  });
}

/** The settings are read again after a push, and once a day, since they may be the organisation's. */
async function labelOf(
  deps: Deps,
  { row, repository, installationId }: RepositoryTurn,
): Promise<{ name: string; read: boolean }> {
  if (row.label !== null && row.label_fresh && row.pushed_at === repository.pushedAt) {
    return { name: row.label, read: false };
  }
  const { owner, name } = repository;
  const repo = { installationId, repositoryId: repository.id, owner: owner.login, name };
  return { name: (await readSettings(deps, repo)).settings.label, read: true };
}
