import { createHash } from 'node:crypto';
import { FatalError } from '../../../errors.ts';
import type { PlanningPhase } from '../states.ts';

/** JSON with sorted keys and no white space, so that equal values are equal texts. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value)
      .filter(([, child]) => child !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, child]) => `${JSON.stringify(key)}:${canonicalJson(child)}`);
    return `{${entries.join(',')}}`;
  }
  const json = JSON.stringify(value) as string | undefined;
  if (json === undefined) throw new FatalError(`a ${typeof value} has no JSON`);
  return json;
}

/** What an approval binds to: a change of any of these gives another hash and voids it. SHA-256, hex. */
export function artifactHash(of: {
  phase: PlanningPhase;
  schemaVersion: number;
  artifact: unknown;
  /** In the order of the phases. */
  approvedPredecessorHashes: readonly string[];
  /** Hash of the frozen title and body. */
  frozenHash: string;
}): string {
  const { phase, schemaVersion, artifact, approvedPredecessorHashes, frozenHash } = of;
  return createHash('sha256')
    .update(canonicalJson({ phase, schemaVersion, artifact, approvedPredecessorHashes, frozenHash }))
    .digest('hex');
}
