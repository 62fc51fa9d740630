import type { GitHub, RepoRef } from './client.ts';
import { type GitHubError, isRefusal, orExpected } from './errors.ts';

/** GitHub said no for good; `message` is its own sentence, for the person who has to act. */
export interface Refused {
  readonly kind: 'refused';
  readonly message: string;
}

type Missing = { readonly kind: 'missing' };

export type RefAnswer =
  | { readonly kind: 'found'; readonly sha: string }
  | Missing
  | { readonly kind: 'empty' };

/** Where a ref points; `ref` is without `refs/`, like `heads/main`. `empty` is a repository with no commit. */
export async function readRef(gh: GitHub, repo: RepoRef, ref: string): Promise<RefAnswer> {
  const asked = gh.call({ repo, profile: 'reader' }, 'GET /repos/{owner}/{repo}/git/ref/{ref}', { ref });
  const answer = await orExpected(asked, (error): 'missing' | 'empty' | undefined => {
    if (error.kind === 'not_found') return 'missing';
    // Any other conflict passes: taken for emptiness, it would end a spec with the wrong advice.
    return error.kind === 'conflict' && /empty/i.test(error.detail) ? 'empty' : undefined;
  });
  if (answer === 'missing' || answer === 'empty') return { kind: answer };
  return { kind: 'found', sha: answer.data.object.sha };
}

/** `profile` is `workflows` where the commits change some: GitHub takes them with that permission only. */
export interface RefWrite {
  readonly ref: string;
  readonly sha: string;
  readonly profile?: 'control' | 'workflows';
}

/** Creates a ref (without `refs/`) at a commit. `exists` says nothing about where the existing one points. */
export async function createRef(
  gh: GitHub,
  repo: RepoRef,
  { ref, sha, profile = 'control' }: RefWrite,
): Promise<{ readonly kind: 'created' } | { readonly kind: 'exists' } | Refused> {
  const sent = gh.call({ repo, profile }, 'POST /repos/{owner}/{repo}/git/refs', {
    ref: `refs/${ref}`,
    sha,
  });
  const done = sent.then(() => ({ kind: 'created' }) as const);
  return orExpected(done, (error) => (error.kind === 'exists' ? { kind: 'exists' } : refusal(error)));
}

/** Moves a ref (without `refs/`) to a commit, fast-forward only. */
export async function moveRef(
  gh: GitHub,
  repo: RepoRef,
  { ref, sha, profile = 'control' }: RefWrite,
): Promise<{ readonly kind: 'moved' } | Missing | { readonly kind: 'diverged' } | Refused> {
  const sent = gh.call({ repo, profile }, 'PATCH /repos/{owner}/{repo}/git/refs/{ref}', {
    ref,
    sha,
    force: false,
  });
  const done = sent.then(() => ({ kind: 'moved' }) as const);
  return orExpected(done, (error) => {
    if (isMissing(error)) return { kind: 'missing' };
    return /not a fast.?forward/i.test(error.detail) ? { kind: 'diverged' } : refusal(error);
  });
}

/** Deletes a ref (without `refs/`). */
export async function deleteRef(
  gh: GitHub,
  repo: RepoRef,
  ref: string,
): Promise<{ readonly kind: 'deleted' } | Missing | Refused> {
  const sent = gh.call({ repo, profile: 'control' }, 'DELETE /repos/{owner}/{repo}/git/refs/{ref}', { ref });
  const done = sent.then(() => ({ kind: 'deleted' }) as const);
  return orExpected(done, (error) => (isMissing(error) ? { kind: 'missing' } : refusal(error)));
}

// GitHub answers 422, not 404, for a ref that is gone.
function isMissing(error: GitHubError): boolean {
  return (
    error.kind === 'not_found' || (error.kind === 'invalid' && /reference does not exist/i.test(error.detail))
  );
}

function refusal(error: GitHubError): Refused | undefined {
  return isRefusal(error) ? { kind: 'refused', message: error.detail } : undefined;
}
