import { loseOpenRuns } from '../../db/runs.ts';
import { countLosses, markClosing, readSandbox } from '../../db/sandboxes.ts';
import { lockSpec, raiseGeneration } from '../../db/specs.ts';
import { notifyOwner } from '../../db/workers.ts';
import type { Deps, Unit } from '../deps.ts';
import { advance } from '../spec/advance.ts';

/** After so many losses within an hour the spec fails instead of taking another sandbox. */
const MOST_LOSSES = 3;

/**
 * Declares a sandbox lost: fences it off, gives up its open step and tells the spec, which goes on in a new one from
 * the last checkpoint. `reason` begins with "lost:" where it counts against the spec.
 */
export async function loseSandbox(
  deps: Deps,
  unit: Unit,
  lost: { sandboxId: string; reason: string },
): Promise<void> {
  const row = await readSandbox(unit.trx, lost.sandboxId);
  if (!row) return;
  const spec = await lockSpec(unit.trx, row.spec_id);
  const current = await readSandbox(unit.trx, lost.sandboxId);
  if (!spec || (current?.state !== 'requested' && current?.state !== 'running')) return;
  await raiseGeneration(unit.trx, spec.id);
  await loseOpenRuns(unit.trx, spec.id);
  await markClosing(unit.trx, spec.id, lost.reason);
  if (row.owner) await notifyOwner(unit.trx, row.owner);
  const exhausted = (await countLosses(unit.trx, spec.id)) > MOST_LOSSES;
  const reason = lost.reason.replace(/^lost: /, '');
  await advance(deps, unit, { specId: spec.id, input: { type: 'sandbox_lost', reason, exhausted } });
}
