import type { Endpoints } from '@octokit/types';
import type { GitHub, RepoRef } from './client.ts';
import { isRefusal, orExpected } from './errors.ts';
import { toId } from './ids.ts';
import { PAGE_SIZE, readPages } from './pages.ts';
import type { Refused } from './refs.ts';

export interface Pull {
  readonly number: number;
  readonly url: string;
  readonly title: string;
  readonly state: 'open' | 'closed';
  readonly draft: boolean;
  readonly merged: boolean;
  /** The commit on the base branch; undefined until merged (before that GitHub shows a trial merge). */
  readonly mergeSha: string | undefined;
  readonly mergedAt: Date | undefined;
  readonly headSha: string;
  readonly headRef: string;
  /** Undefined when the head's fork is gone. */
  readonly headRepositoryId: number | undefined;
  readonly baseRef: string;
  readonly authorId: number | undefined;
}

export type CreatePullOutcome =
  | { readonly kind: 'created'; readonly number: number; readonly url: string; readonly headSha: string }
  | { readonly kind: 'exists' }
  | { readonly kind: 'nothing_between' }
  | { readonly kind: 'base_missing' }
  | Refused;

export interface NewPull {
  readonly title: string;
  readonly body: string;
  /** A branch of the same repository. */
  readonly head: string;
  readonly base: string;
  readonly draft?: boolean;
}

/** Opens a pull request. `exists`: there is an open one from this head into this base; find and adopt it. */
export async function createPull(gh: GitHub, repo: RepoRef, pull: NewPull): Promise<CreatePullOutcome> {
  const { title, body, head, base, draft = false } = pull;
  const wanted = { title, body, head, base, draft };
  const sent = gh.call({ repo, profile: 'control' }, 'POST /repos/{owner}/{repo}/pulls', wanted);
  const done = sent.then(({ data }): CreatePullOutcome => {
    return { kind: 'created', number: data.number, url: data.html_url, headSha: data.head.sha };
  });
  return orExpected(done, (error): CreatePullOutcome | undefined => {
    if (error.kind === 'exists') return { kind: 'exists' };
    if (/no commits between/i.test(error.detail)) return { kind: 'nothing_between' };
    if (/pullrequest base invalid/i.test(error.detail)) return { kind: 'base_missing' };
    return isRefusal(error) ? { kind: 'refused', message: error.detail } : undefined;
  });
}

/** One pull request as it is now. */
export async function readPull(
  gh: GitHub,
  repo: RepoRef,
  number: number,
): Promise<(Pull & { readonly kind: 'found' }) | { readonly kind: 'missing' }> {
  const asked = gh.call({ repo, profile: 'control' }, 'GET /repos/{owner}/{repo}/pulls/{pull_number}', {
    pull_number: number,
  });
  const answer = await orExpected(asked, ({ kind }) =>
    kind === 'not_found' || kind === 'gone' ? 'missing' : undefined,
  );
  return answer === 'missing' ? { kind: 'missing' } : { kind: 'found', ...toPull(answer.data) };
}

type PullState = 'open' | 'closed' | 'all';

/** The pull request from a branch of this repository: an open one first, else the newest. */
export async function findPullByHead(
  gh: GitHub,
  repo: RepoRef,
  { branch, state }: { readonly branch: string; readonly state: PullState },
): Promise<Pull | undefined> {
  const pulls = await listFromHead(gh, repo, { branch, state });
  const newestFirst = [...pulls].sort((a, b) => b.number - a.number);
  return newestFirst.find((pull) => pull.state === 'open') ?? newestFirst[0];
}

/** Open pull requests whose head is a branch of this repository. */
export async function listPullsWithHead(gh: GitHub, repo: RepoRef, branch: string): Promise<readonly Pull[]> {
  return listFromHead(gh, repo, { branch, state: 'open' });
}

/** Open pull requests that would merge into a branch. */
export async function listPullsWithBase(gh: GitHub, repo: RepoRef, branch: string): Promise<readonly Pull[]> {
  const pulls = await listPulls(gh, repo, { base: branch, state: 'open' });
  return pulls.filter((pull) => pull.baseRef === branch);
}

async function listFromHead(
  gh: GitHub,
  repo: RepoRef,
  { branch, state }: { readonly branch: string; readonly state: PullState },
): Promise<readonly Pull[]> {
  const pulls = await listPulls(gh, repo, { head: `${repo.owner}:${branch}`, state });
  // GitHub lists everything when it can't read the filter, and a fork can have a branch of the same name.
  return pulls.filter((pull) => pull.headRef === branch && pull.headRepositoryId === repo.repositoryId);
}

async function listPulls(
  gh: GitHub,
  repo: RepoRef,
  filter: { readonly head?: string; readonly base?: string; readonly state: PullState },
): Promise<readonly Pull[]> {
  const { items } = await readPages(10, async (page) => {
    const { data } = await gh.call({ repo, profile: 'control' }, 'GET /repos/{owner}/{repo}/pulls', {
      ...filter,
      per_page: PAGE_SIZE,
      page,
    });
    return data.map(toPull);
  });
  return items;
}

type Raw =
  | Endpoints['GET /repos/{owner}/{repo}/pulls/{pull_number}']['response']['data']
  | Endpoints['GET /repos/{owner}/{repo}/pulls']['response']['data'][number];

function toPull(raw: Raw): Pull {
  // Lists have no `merged`, only the time of it.
  const merged = raw.merged_at !== null;
  return {
    number: raw.number,
    url: raw.html_url,
    title: raw.title,
    state: raw.state === 'open' ? 'open' : 'closed',
    draft: raw.draft ?? false,
    merged,
    mergeSha: merged ? (raw.merge_commit_sha ?? undefined) : undefined,
    mergedAt: raw.merged_at === null ? undefined : new Date(raw.merged_at),
    headSha: raw.head.sha,
    headRef: raw.head.ref,
    headRepositoryId: toId(raw.head.repo?.id),
    baseRef: raw.base.ref,
    authorId: toId(raw.user?.id),
  };
}
