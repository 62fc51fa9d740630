import type { Endpoints } from '@octokit/types';
import type { GitHub, RepoRef } from './client.ts';
import { orExpected } from './errors.ts';
import { PAGE_SIZE, readPages } from './pages.ts';

/** What a comparison says of one file. */
export interface ComparedFile {
  readonly path: string;
  /** Of the blob in the head; of the one in the base where the file is removed. */
  readonly sha: string | null;
  readonly previousPath: string | null;
  readonly additions: number;
  readonly deletions: number;
  /** From the first hunk on; null where GitHub shows none: binary, too large, moved only. */
  readonly patch: string | null;
}

export interface ComparedCommit {
  readonly sha: string;
  readonly message: string;
  readonly tree: string;
  readonly parents: readonly string[];
}

export interface Comparison {
  readonly kind: 'found';
  readonly status: 'diverged' | 'ahead' | 'behind' | 'identical';
  readonly aheadBy: number;
  readonly behindBy: number;
  readonly mergeBaseSha: string;
  /** Shas that head has and base has not; all of them where `complete`. */
  readonly commits: readonly string[];
  readonly complete: boolean;
  /** The same commits, oldest first. */
  readonly details: readonly ComparedCommit[];
  /** What differs from the merge base; GitHub lists at most 300. */
  readonly files: readonly ComparedFile[];
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
    details: pages.items.map(({ sha, commit, parents }) => ({
      sha,
      message: commit.message,
      tree: commit.tree.sha,
      parents: parents.map((parent) => parent.sha),
    })),
    files: (first.files ?? []).map(toFile),
  };
}

type File = NonNullable<
  Endpoints['GET /repos/{owner}/{repo}/compare/{basehead}']['response']['data']['files']
>[number];

function toFile(file: File): ComparedFile {
  return {
    path: file.filename,
    sha: file.sha,
    previousPath: file.previous_filename ?? null,
    additions: file.additions,
    deletions: file.deletions,
    patch: file.patch ?? null,
  };
}

/**
 * Makes a commit of a tree that is there. Without an author or a committer of its own it is the App's, and GitHub signs
 * it; `verified` says whether it did.
 */
export async function createCommit(
  gh: GitHub,
  repo: RepoRef,
  {
    message,
    tree,
    parents,
    profile = 'control',
  }: Omit<ComparedCommit, 'sha'> & { readonly profile?: 'control' | 'workflows' },
): Promise<{ readonly sha: string; readonly verified: boolean }> {
  const { data } = await gh.call({ repo, profile }, 'POST /repos/{owner}/{repo}/git/commits', {
    message,
    tree,
    parents: [...parents],
  });
  return { sha: data.sha, verified: data.verification.verified };
}

/** With 500 and 503 GitHub says that it could not make a difference in time; the others are its usual refusals. */
const TOO_LARGE: ReadonlySet<number> = new Set([406, 422, 500, 503]);

const AS_PATCHES = { mediaType: { format: 'patch' } };

/**
 * The commits that `head` has and `base` has not as one text, each with its message and its own difference, as `git
 * format-patch` writes them; null where GitHub finds that too large or does not answer in text.
 */
export async function readSeriesText(
  gh: GitHub,
  repo: RepoRef,
  { base, head }: { readonly base: string; readonly head: string },
): Promise<string | null> {
  const asked = gh.call({ repo, profile: 'reader' }, 'GET /repos/{owner}/{repo}/compare/{basehead}', {
    basehead: `${base}...${head}`,
    ...AS_PATCHES,
  });
  const answer = await orExpected(asked, ({ status }) =>
    TOO_LARGE.has(status ?? 0) ? 'too_large' : undefined,
  );
  if (answer === 'too_large') return null;
  // Typed as the JSON that it is without the media type, and that an older server may still answer.
  const data: unknown = answer.data;
  return typeof data === 'string' ? data : null;
}
