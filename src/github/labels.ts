import type { GitHub, RepoRef } from './client.ts';
import { orExpected } from './errors.ts';

/** Adds labels to an issue or pull request; creates those that the repository has not; says which it has then. */
export async function addLabels(
  gh: GitHub,
  repo: RepoRef,
  { issue, labels }: { readonly issue: number; readonly labels: readonly string[] },
): Promise<readonly string[]> {
  const { data } = await gh.call(
    { repo, profile: 'issues' },
    'POST /repos/{owner}/{repo}/issues/{issue_number}/labels',
    { issue_number: issue, labels: [...labels] },
  );
  return data.map((label) => label.name);
}

/** Takes a label off an issue or pull request. */
export async function removeLabel(
  gh: GitHub,
  repo: RepoRef,
  { issue, label }: { readonly issue: number; readonly label: string },
): Promise<{ readonly kind: 'removed' } | { readonly kind: 'missing' }> {
  const sent = gh.call(
    { repo, profile: 'issues' },
    'DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels/{name}',
    { issue_number: issue, name: label },
  );
  const done = sent.then(() => ({ kind: 'removed' }) as const);
  return orExpected(done, ({ kind }) =>
    kind === 'not_found' || kind === 'gone' ? { kind: 'missing' } : undefined,
  );
}
