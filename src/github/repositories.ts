import { RetryableError } from '../errors.ts';
import type { GitHub, RepoRef } from './client.ts';
import { orExpected } from './errors.ts';
import { toId } from './ids.ts';

export interface FoundRepository {
  readonly kind: 'found';
  readonly id: number;
  readonly owner: string;
  readonly name: string;
  readonly defaultBranch: string;
  readonly archived: boolean;
  readonly disabled: boolean;
  readonly private: boolean;
  readonly fork: boolean;
  readonly hasIssues: boolean;
  readonly deletesBranchOnMerge: boolean;
}

/**
 * The repository as it is now, followed to a new name. Another repository that has since taken the name counts as
 * missing, and so does one that the installation can't reach.
 */
export async function readRepository(
  gh: GitHub,
  repo: RepoRef,
): Promise<FoundRepository | { readonly kind: 'missing' }> {
  const asked = gh.call({ repo, profile: 'reader' }, 'GET /repos/{owner}/{repo}', {});
  const answer = await orExpected(asked, (error) => (error.kind === 'not_found' ? 'missing' : undefined));
  if (answer === 'missing' || answer.data.id !== repo.repositoryId) return { kind: 'missing' };
  const { data } = answer;
  return {
    kind: 'found',
    id: toId(data.id),
    owner: data.owner.login,
    name: data.name,
    defaultBranch: data.default_branch,
    archived: data.archived,
    disabled: data.disabled,
    private: data.private,
    fork: data.fork,
    hasIssues: data.has_issues,
    deletesBranchOnMerge: data.delete_branch_on_merge ?? false,
  };
}

/** What to throw where a missing repository decides nothing yet: asked again until a webhook tells or patience ends. */
export function unseen(): RetryableError {
  return new RetryableError(
    'GitHub does not show this repository to the App; is the App still installed on it?',
  );
}
