import type { GitHub, RepoRef } from './client.ts';
import { orExpected } from './errors.ts';

export interface ChangedFile {
  readonly path: string;
  /** `added`, `modified`, `removed`, `renamed`, `copied`, `changed` or `unchanged`. */
  readonly status: string;
  readonly previousPath: string | undefined;
}

export interface Comparison {
  readonly kind: 'found';
  readonly status: 'diverged' | 'ahead' | 'behind' | 'identical';
  readonly aheadBy: number;
  readonly behindBy: number;
  readonly mergeBaseSha: string;
  /** Between merge base and head, as a pull request counts them. */
  readonly files: readonly ChangedFile[];
  readonly changedFiles: number;
  /** True when GitHub's cap on listed files was reached: there may be more. */
  readonly truncatedAt300: boolean;
}

const FILES_CAP = 300;

/** What `head` has that `base` has not; either is a branch, tag or sha. */
export async function compareCommits(
  gh: GitHub,
  repo: RepoRef,
  { base, head }: { readonly base: string; readonly head: string },
): Promise<Comparison | { readonly kind: 'missing' }> {
  const asked = gh.call({ repo, profile: 'reader' }, 'GET /repos/{owner}/{repo}/compare/{basehead}', {
    basehead: `${base}...${head}`,
    // The files come with the first page whatever its size; the commits are not needed.
    per_page: 1,
    page: 1,
  });
  const answer = await orExpected(asked, (error) => (error.kind === 'not_found' ? 'missing' : undefined));
  if (answer === 'missing') return { kind: 'missing' };
  const { data } = answer;
  const files = (data.files ?? []).map((file) => ({
    path: file.filename,
    status: file.status,
    previousPath: file.previous_filename,
  }));
  return {
    kind: 'found',
    status: data.status,
    aheadBy: data.ahead_by,
    behindBy: data.behind_by,
    mergeBaseSha: data.merge_base_commit.sha,
    files,
    changedFiles: files.length,
    truncatedAt300: files.length >= FILES_CAP,
  };
}
