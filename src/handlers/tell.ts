import type { SpecRow } from '../db/specs.ts';
import type { Deps, Unit } from '../services/deps.ts';
import { advance } from '../services/spec/advance.ts';
import type { SpecInput } from '../services/spec/inputs.ts';
import { handled, ignored, type Verdict } from './handler.ts';

/** Tells a spec what happened and puts the machine's answer into words. */
export async function tell(
  deps: Deps,
  unit: Unit,
  what: { spec: SpecRow; input: SpecInput },
): Promise<Verdict> {
  const { spec, input } = what;
  const advanced = await advance(deps, unit, { specId: spec.id, input });
  if (advanced.kind === 'obsolete') return ignored(`${input.type}: ${advanced.reason}`);
  return handled(`spec ${spec.id}: ${input.type}, now ${advanced.spec.status}`);
}
