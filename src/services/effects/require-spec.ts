import type { SpecRow } from '../../db/specs.ts';
import { FatalError } from '../../errors.ts';
import type { Publishing } from './publisher.ts';

/** The spec of an effect that can't be without one. */
export function requireSpec(publishing: Publishing): SpecRow {
  if (publishing.spec) return publishing.spec;
  throw new FatalError(`effect ${publishing.effect.effect_key} has no spec`);
}
