import type { GitHub, RepoRef } from './client.ts';
import { orExpected } from './errors.ts';
import { PAGE_SIZE, readPages } from './pages.ts';

export interface Comparison {
  readonly kind: 'found';
  readonly status: 'diverged' | 'ahead' | 'behind' | 'identical';
  readonly aheadBy: number;
  readonly behindBy: number;
  readonly mergeBaseSha: string;
  /** Shas that head has and base has not; all of them where `complete`. */
  readonly commits: readonly string[];
  readonly complete: boolean;
}

/** Plans have at most 200 tasks of one commit each; more pages help nobody. */
const MAX_PAGES = 3;

/** What `head` has that `base` has not; either is a branch, tag or sha. */
export async function compareCommits(
  gh: GitHub,
  repo: RepoRef,
  { base, head }: { readonly base: string; readonly head: string },
): Promise<Comparison | { readonly kind: 'missing' }> {
  const ask = async (page: number) => {
    const { data } = await gh.call(
      { repo, profile: 'reader' },
      'GET /repos/{owner}/{repo}/compare/{basehead}',
      { basehead: `${base}...${head}`, per_page: PAGE_SIZE, page },
    );
    return data;
  };
  const first = await orExpected(ask(1), (error) => (error.kind === 'not_found' ? 'missing' : undefined));
  if (first === 'missing') return { kind: 'missing' };
  const pages = await readPages(MAX_PAGES, async (page) => (page === 1 ? first : await ask(page)).commits);
  return {
    kind: 'found',
    status: first.status,
    aheadBy: first.ahead_by,
    behindBy: first.behind_by,
    mergeBaseSha: first.merge_base_commit.sha,
    commits: pages.items.map(({ sha }) => sha),
    complete: pages.complete,
  };
}
