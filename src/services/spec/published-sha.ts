import type { SpecRow } from '../../db/specs.ts';

/** Under which sha a checked commit is on the branch: another one where GitHub made it anew to sign it. */
export function publishedSha(spec: Pick<SpecRow, 'signed_shas'>, sha: string | null): string | null {
  return sha === null ? null : (spec.signed_shas?.[sha] ?? sha);
}
