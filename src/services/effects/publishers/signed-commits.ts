/**
 * Race ledger
 * - The process dies between two commits, or an answer is lost → they are made anew: commits that no ref leads to are
 *   seen by nobody.
 * - It dies after the branch moved to them → which they are is written before, so that the next attempt knows its own.
 */
import { annotateSpec, type SpecRow } from '../../../db/specs.ts';
import type { RepoRef } from '../../../github/client.ts';
import { compareCommits, createCommit } from '../../../github/commits.ts';
import type { Deps } from '../../deps.ts';

export interface Checked {
  readonly spec: SpecRow;
  readonly repo: RepoRef;
  /** The commit that the diff gate let pass. */
  readonly checked: string;
  /** With which rights commits are made. */
  readonly profile: 'control' | 'workflows';
}

export type PublishedHead =
  | { readonly kind: 'found'; readonly sha: string }
  | { readonly kind: 'refused'; readonly message: string };

/**
 * The commit that the branch moves to: the checked one, or, where rules ask for signatures, the last of a row of commits
 * with the same trees and messages that GitHub made and signed.
 */
export async function publishedHead(
  deps: Deps,
  { spec, repo, checked, profile }: Checked,
): Promise<PublishedHead> {
  if (!spec.needs_signatures) return { kind: 'found', sha: checked };
  const known = spec.signed_shas?.[checked];
  if (known !== undefined) return { kind: 'found', sha: known };
  const compared = await compareCommits(deps.github, repo, { base: spec.base_branch!, head: checked });
  if (compared.kind === 'missing')
    return { kind: 'refused', message: 'the base or the checked commit is gone' };
  if (!compared.complete)
    return { kind: 'refused', message: 'there are too many commits to have them signed' };
  const signed = new Map<string, string>();
  for (const { sha, message, tree, parents } of compared.details) {
    const onto = parents.map((parent) => signed.get(parent) ?? parent);
    const made = await createCommit(deps.github, repo, { message, tree, parents: onto, profile });
    if (!made.verified) {
      return {
        kind: 'refused',
        message: 'a rule asks for signed commits, and GitHub does not sign the App’s',
      };
    }
    signed.set(sha, made.sha);
  }
  const head = signed.get(checked);
  if (head === undefined) return { kind: 'refused', message: 'the checked commit is in the base already' };
  await annotateSpec(deps.db, spec.id, { signed_shas: Object.fromEntries(signed) });
  return { kind: 'found', sha: head };
}
