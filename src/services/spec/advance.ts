/**
 * The one way in which a spec changes.
 *
 * Race ledger
 * - Two facts arrive at once → the row lock puts them in an order, and the machine calls the late one obsolete.
 * - A spec that had ended would come back to life beside a newer one of its issue → it stays as it is; two at once
 *   are stopped by the unique index, and the later one is decided again.
 * - The process dies after the decision → state, events, effects and jobs are one commit: all of it or nothing.
 */
import { crashPoint } from '../../crash-point.ts';
import { recordAudit } from '../../db/audit.ts';
import { appendSpecEvents } from '../../db/spec-events.ts';
import { hasPlace, nextWaiting } from '../../db/spec-places.ts';
import { findLiveSpec, lockSpec, type SpecRow, updateSpec } from '../../db/specs.ts';
import type { Trx } from '../../db/types.ts';
import type { Deps, Unit } from '../deps.ts';
import { carryOut } from './commands.ts';
import type { SpecInput } from './inputs.ts';
import { transition } from './machine.ts';
import { type Next, type Outcome, obsolete } from './outcome.ts';
import { stateOf } from './state-of.ts';
import { isLive, type Status } from './states.ts';

export type Advanced =
  | { readonly kind: 'advanced'; readonly spec: SpecRow }
  | { readonly kind: 'obsolete'; readonly reason: string };

/**
 * Tells a spec what happened: locks it, decides, and writes everything that follows in the caller's transaction.
 */
export async function advance(
  deps: Deps,
  unit: Unit,
  what: { specId: string; input: SpecInput },
): Promise<Advanced> {
  const row = await lockSpec(unit.trx, what.specId);
  if (!row) return { kind: 'obsolete', reason: 'there is no such spec' };
  const outcome = await decide(unit.trx, row, what.input);
  if (outcome.kind === 'obsolete') {
    await recordObsolete(unit, row, { action: what.input.type, reason: outcome.reason });
    return outcome;
  }
  const spec = await writeState(unit.trx, row, outcome);
  await appendSpecEvents(unit.trx, row.id, outcome.events);
  if (hasPlace(row) && !hasPlace(spec)) await letNextOne(deps, unit, row);
  for (const command of outcome.commands) await carryOut(deps, unit, { spec, command });
  await deps.jobs.enqueue(unit.trx, 'status.sync', { data: { specId: row.id }, key: row.id });
  crashPoint('advance.before-commit');
  return { kind: 'advanced', spec };
}

/** Opens a transaction for one fact. */
export async function advanceAlone(
  deps: Deps,
  what: { specId: string; input: SpecInput },
): Promise<Advanced> {
  const advanced = await deps.db.transaction((trx) => advance(deps, { trx, delivery: null }, what));
  crashPoint('advance.committed');
  return advanced;
}

/** The longest waiting spec of the installation may take the place that was given up. */
async function letNextOne(deps: Deps, { trx }: Unit, { installation_id }: SpecRow): Promise<void> {
  const next = await nextWaiting(trx, installation_id);
  if (next) await deps.jobs.enqueue(trx, 'spec.prepare', { data: { specId: next }, key: next });
}

async function decide(trx: Trx, row: SpecRow, input: SpecInput): Promise<Outcome> {
  const outcome = transition(stateOf(row), input);
  const revives = outcome.kind === 'next' && !isLive(row.status as Status) && isLive(outcome.state.status);
  const other = revives ? await findLiveSpec(trx, row.repository_id, row.issue_number) : null;
  return other ? obsolete(`the issue has the newer spec ${other.id}`) : outcome;
}

async function recordObsolete(
  unit: Unit,
  row: SpecRow,
  what: { action: string; reason: string },
): Promise<void> {
  await recordAudit(unit.trx, {
    specId: row.id,
    repositoryId: row.repository_id,
    actor: 'specwright',
    action: what.action,
    decision: 'obsolete',
    reason: what.reason,
    delivery: unit.delivery,
  });
}

function writeState(trx: Trx, row: SpecRow, { state, patch }: Next): Promise<SpecRow> {
  const now = trx.raw('specwright_now()');
  const moved = state.phase !== row.phase || state.attempt !== row.attempt;
  return updateSpec(trx, row.id, {
    status: state.status,
    phase: state.phase,
    attempt: state.attempt,
    round: state.round,
    hold: state.hold === null ? null : JSON.stringify(state.hold),
    cause: patch.cause,
    base_branch: patch.baseBranch,
    base_sha: patch.baseSha,
    branch_name: patch.branchName,
    head_sha: patch.headSha,
    pull_request_number: patch.pullRequestNumber,
    pull_request_url: patch.pullRequestUrl,
    merge_sha: patch.mergeSha,
    ended_at: isLive(state.status) ? null : (row.ended_at ?? now),
    // Whoever is tried again waits for a place again.
    ...(state.status === 'queued' && row.status !== 'queued' ? { place_at: null } : {}),
    ...(moved ? { phase_started_at: now } : {}),
    ...(patch.stampMerged ? { merged_at: now } : {}),
    ...(patch.stampPublishing ? { publishing_since: now } : {}),
  });
}
