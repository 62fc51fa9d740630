/**
 * GitHub's state held against the database's: what no webhook told (GitHub believed it delivered, or never sent it) is
 * put into the inbox as the webhook that would have told it. Nothing is changed here.
 *
 * Race ledger
 * - Two processes reconcile → one has the lease; if it is lost the same facts have the same GUIDs, so the inbox keeps one.
 * - The true webhook comes after ours, or while we ask → each handler reads the present state first and calls the second
 *   of the two obsolete, with a reason.
 * - The process dies mid-pass → nothing is stored of the repository it was at; it is looked at again, and what had been
 *   told already is a duplicate.
 * - A row is newer than the list it is held against → rows are read before GitHub is asked, so the list is the newer one.
 */
import { databaseNow } from '../../../db/deliveries.ts';
import {
  installationDue,
  listDueRepositories,
  listInstallationRows,
  listProjectRows,
  markInstallationChecked,
  markRepositoryChecked,
  noteRepositories,
} from '../../../db/reconciled.ts';
import { keepSweep, leaveSweep, takeSweep } from '../../../db/sweeps.ts';
import { messageOf, RetryableError } from '../../../errors.ts';
import { type Installed, listInstalled, listReached } from '../../../github/inventory.ts';
import type { Deps } from '../../deps.ts';
import type { Intake } from '../intake.ts';
import { type Fact, tellInbox } from './fact.ts';
import { installationFacts, repositoryFacts } from './installations.ts';
import { reconcileRepository } from './repository.ts';

export interface ReconcileOptions {
  /** How often a repository is looked at, in minutes; at most every ten where specs are at work. */
  readonly everyMinutes: number;
  /** Seconds since the last pass, of any process, before there is another one. */
  readonly pauseSeconds: number;
  /** A label younger than so many seconds may be on its way. Default 120. */
  readonly graceSeconds?: number;
  /** Whatever was looked at a moment ago is looked at again. */
  readonly all?: boolean;
}

/** What a pass did. */
export interface ReconcileReport {
  readonly repositories: number;
  readonly facts: number;
  readonly failed: number;
}

export const RECONCILE = 'reconcile';
const BUSY_MINUTES = 10;
/** Passes begin at their times and not a moment later than the one before. */
const SLACK_SECONDS = 30;
const MOST_REPOSITORIES = 200;
const GRACE_SECONDS = 120;

interface Pass {
  readonly deps: Deps;
  readonly intake: Intake;
  readonly due: { readonly quiet: number; readonly busy: number };
  readonly graceSeconds: number;
  /** Of all passes before this one. */
  readonly toldBefore: number;
  repositories: number;
  facts: number;
  failed: number;
  /** Another process has taken over, or this one stops. */
  lost: boolean;
}

/** One pass; null while another process is at it, or when the last pass is not long ago. */
export async function reconcile(
  deps: Deps,
  intake: Intake,
  options: ReconcileOptions,
): Promise<ReconcileReport | null> {
  const { db, workerId: owner } = deps;
  const state = await takeSweep(db, RECONCILE, { owner, pauseSeconds: options.pauseSeconds });
  if (!state) return null;
  const pass = begin(deps, intake, { options, state });
  let finished = false;
  try {
    await reconcileInstallations(pass);
    const { repositories, facts, failed } = pass;
    await keep(pass);
    finished = true;
    if (facts + failed > 0) deps.log.info({ repositories, facts, failed }, 'reconciled with GitHub');
    return { repositories, facts, failed };
  } finally {
    await leaveSweep(db, RECONCILE, { owner, finished });
  }
}

/** Stores how far it has come, and that somebody is at it. */
async function keep(pass: Pass): Promise<void> {
  const { db, workerId: owner } = pass.deps;
  const state = { facts: pass.toldBefore + pass.facts };
  const kept = await keepSweep(db, RECONCILE, { owner, state });
  pass.lost = !kept || pass.intake.signal?.aborted === true;
}

function begin(
  deps: Deps,
  intake: Intake,
  { options, state }: { options: ReconcileOptions; state: Record<string, unknown> },
): Pass {
  const seconds = (minutes: number) => (options.all ? 0 : Math.max(0, minutes * 60 - SLACK_SECONDS));
  return {
    deps,
    intake,
    due: {
      quiet: seconds(options.everyMinutes),
      busy: seconds(Math.min(BUSY_MINUTES, options.everyMinutes)),
    },
    graceSeconds: options.graceSeconds ?? GRACE_SECONDS,
    toldBefore: typeof state.facts === 'number' ? state.facts : 0,
    repositories: 0,
    facts: 0,
    failed: 0,
    lost: false,
  };
}

async function reconcileInstallations(pass: Pass): Promise<void> {
  const { db, github } = pass.deps;
  const rows = await listInstallationRows(db);
  const installed = await listInstalled(github);
  await tell(pass, installationFacts(rows, installed));
  for (const one of installed.items) {
    if (pass.lost) return;
    if (one.suspendedAt !== null) continue;
    await alone(pass, { installation: one.id }, () => reconcileInstallation(pass, one));
  }
}

/** One failure never keeps the others, unless GitHub asked everybody to wait. */
async function alone(pass: Pass, what: object, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    pass.failed += 1;
    pass.deps.log.warn({ ...what, error: messageOf(error) }, 'not reconciled, to be tried again');
  }
}

async function reconcileInstallation(pass: Pass, installed: Installed): Promise<void> {
  const { deps } = pass;
  const { due, checkedAt } = await installationDue(deps.db, installed.id, pass.due);
  if (!due) return;
  const rows = await listProjectRows(deps.db, installed.id);
  const reached = await listReached(deps.github, installed.id);
  await tell(pass, repositoryFacts(installed, rows, reached));
  const ids = reached.items.filter(({ archived }) => !archived).map(({ id }) => id);
  await noteRepositories(deps.db, ids, checkedAt ?? new Date(installed.createdAt));
  const now = await databaseNow(deps.db);
  const room = Math.max(0, MOST_REPOSITORIES - pass.repositories);
  const todo = await listDueRepositories(deps.db, ids, { ...pass.due, limit: room });
  for (const row of todo) {
    const repository = reached.items.find(({ id }) => id === row.repository_id)!;
    const before = { installationId: installed.id, repository, row, now, graceSeconds: pass.graceSeconds };
    pass.repositories += 1;
    const limited = await tryRepository(pass, row.repository_id, async () =>
      reconcileRepository(deps, before, (facts) => tell(pass, facts)),
    );
    await keep(pass);
    if (limited || pass.lost) return;
  }
  if (todo.length < room) await markInstallationChecked(deps.db, installed.id);
}

/** True when GitHub limits the installation, so that its other repositories have to wait too. */
async function tryRepository(pass: Pass, id: number, work: () => Promise<void>): Promise<boolean> {
  let limited = false;
  await alone(pass, { repository: id }, async () => {
    try {
      await work();
    } catch (error) {
      limited = error instanceof RetryableError && error.retryAt !== undefined;
      if (!limited) await markRepositoryChecked(pass.deps.db, id);
      throw error;
    }
  });
  return limited;
}

async function tell(pass: Pass, facts: readonly Fact[]): Promise<void> {
  for (const fact of facts) {
    if (!(await tellInbox(pass.intake, fact))) continue;
    pass.facts += 1;
    const { event, action, about } = fact;
    pass.deps.log.info({ event, action, about }, 'GitHub shows what no webhook told');
  }
}
