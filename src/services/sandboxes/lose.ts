/**
 * Race ledger
 * - Two notice one loss (two workers look at once, the runner's end and the provider's word) → the spec's lock puts
 *   them in a row, and the second finds the sandbox closed.
 * - A sign of life arrives while its sandbox is being declared dead → the sandbox's row is locked before it is judged
 *   again: either the sign was first, and nothing happens, or it finds a closed sandbox, whose next call is 410.
 */
import { crashPoint } from '../../crash-point.ts';
import { listLosses, lockSandbox, readSandbox } from '../../db/sandboxes.ts';
import { lockSpec } from '../../db/specs.ts';
import type { Deps, Unit } from '../deps.ts';
import { advance } from '../spec/advance.ts';
import { fenceOff } from './fence.ts';
import { MOST_LOSSES, sentenceOf } from './losses.ts';

export interface Loss {
  readonly sandboxId: string;
  /** Begins with "lost:" where it counts against the spec; see losses.ts. */
  readonly reason: string;
  /** Asked once nothing can change any more; false lets the sandbox live. */
  readonly stillSo?: () => Promise<boolean>;
}

/**
 * Declares a sandbox lost: fences it off, gives up its open step and tells the spec, which goes on in a new one from
 * the last checkpoint. True when this call was the one that did so.
 */
export async function loseSandbox(deps: Deps, unit: Unit, lost: Loss): Promise<boolean> {
  const row = await readSandbox(unit.trx, lost.sandboxId);
  if (!row) return false;
  const spec = await lockSpec(unit.trx, row.spec_id);
  const current = await lockSandbox(unit.trx, lost.sandboxId);
  if (!spec || (current?.state !== 'requested' && current?.state !== 'running')) return false;
  if (lost.stillSo && !(await lost.stillSo())) return false;
  await fenceOff(unit.trx, spec.id, lost.reason);
  crashPoint('sandbox.fenced');
  const exhausted = (await listLosses(unit.trx, spec.id)).length > MOST_LOSSES;
  const reason = sentenceOf(lost.reason);
  await advance(deps, unit, { specId: spec.id, input: { type: 'sandbox_lost', reason, exhausted } });
  return true;
}
