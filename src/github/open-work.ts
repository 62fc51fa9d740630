import type { GitHub, RepoRef } from './client.ts';
import { type Memory, unlessSeen } from './conditional.ts';
import { orExpected } from './errors.ts';
import { toId } from './ids.ts';
import { PAGE_SIZE } from './pages.ts';

export interface OpenIssue {
  readonly number: number;
  /** GitHub's time, as it writes it. */
  readonly updatedAt: string;
}

export interface OpenPull {
  readonly number: number;
  readonly headRef: string;
  readonly headSha: string;
  /** Undefined when the head's fork is gone. */
  readonly headRepositoryId: number | undefined;
}

/** What is there, or `incomplete` where there is more than is read: then nothing follows from what is missing. */
export type Listing<T> = { readonly items: readonly T[]; readonly complete: boolean };

const MOST_PAGES = 20;

interface Asked {
  readonly repo: RepoRef;
  readonly memory: Memory;
}

/** The open issues that carry a label; pull requests are left out. */
export function listOpenIssues(
  gh: GitHub,
  { repo, memory }: Asked,
  label: string,
): Promise<Listing<OpenIssue>> {
  return readSeenPages(`issues/${label}`, (key, page) =>
    unlessSeen(memory, key, {
      ask: (etag) =>
        gh.call({ repo, profile: 'issues', etag }, 'GET /repos/{owner}/{repo}/issues', {
          labels: label,
          state: 'open',
          sort: 'created',
          direction: 'asc',
          per_page: PAGE_SIZE,
          page,
        }),
      pick: (data) => ({
        full: data.length === PAGE_SIZE,
        items: data
          .filter((one) => one.pull_request === undefined)
          .map((one) => ({ number: one.number, updatedAt: one.updated_at })),
      }),
    }),
  );
}

/** The open pull requests. */
export function listOpenPulls(gh: GitHub, { repo, memory }: Asked): Promise<Listing<OpenPull>> {
  return readSeenPages('pulls', (key, page) =>
    unlessSeen(memory, key, {
      ask: (etag) =>
        gh.call({ repo, profile: 'control', etag }, 'GET /repos/{owner}/{repo}/pulls', {
          state: 'open',
          sort: 'created',
          direction: 'asc',
          per_page: PAGE_SIZE,
          page,
        }),
      pick: (data) => ({
        full: data.length === PAGE_SIZE,
        items: data.map((one) => ({
          number: one.number,
          headRef: one.head.ref,
          headSha: one.head.sha,
          headRepositoryId: toId(one.head.repo?.id),
        })),
      }),
    }),
  );
}

/** The names of the branches that begin with `prefix`. */
export async function listBranches(
  gh: GitHub,
  { repo, memory }: Asked,
  prefix: string,
): Promise<readonly string[]> {
  const asked = unlessSeen(memory, `branches/${prefix}`, {
    ask: (etag) =>
      gh.call({ repo, profile: 'control', etag }, 'GET /repos/{owner}/{repo}/git/matching-refs/{ref}', {
        ref: `heads/${prefix}`,
      }),
    pick: (data) => data.map((one) => one.ref.replace(/^refs\/heads\//, '')),
  });
  return orExpected(asked, ({ kind }) => (kind === 'conflict' ? [] : undefined));
}

interface SeenPage<T> {
  readonly full: boolean;
  readonly items: readonly T[];
}

async function readSeenPages<T>(
  name: string,
  read: (key: string, page: number) => Promise<SeenPage<T>>,
): Promise<Listing<T>> {
  const items: T[] = [];
  for (let page = 1; page <= MOST_PAGES; page += 1) {
    const got = await read(`${name}/${page}`, page);
    items.push(...got.items);
    if (!got.full) return { items, complete: true };
  }
  return { items, complete: false };
}
