import type { GitHub, RepoRef } from './client.ts';
import { type Memory, unlessSeen } from './conditional.ts';
import { orExpected } from './errors.ts';
import { toId } from './ids.ts';
import type { Account } from './inventory.ts';

/** An issue with the fields that a webhook about it would have; times as GitHub writes them. */
export interface IssueFacts {
  readonly number: number;
  readonly title: string;
  readonly body: string | null;
  readonly state: string;
  readonly labels: readonly { readonly name: string }[];
  readonly type: { readonly name: string } | null;
  readonly user: Account | null;
  readonly updated_at: string;
  readonly closed_at: string | null;
  readonly closed_by: Account | null;
}

/** A pull request with the fields that a webhook about it would have. */
export interface PullFacts {
  readonly number: number;
  readonly html_url: string;
  readonly state: string;
  readonly merged: boolean;
  readonly merge_commit_sha: string | null;
  readonly closed_at: string | null;
  readonly updated_at: string;
  readonly user: Account | null;
  readonly merged_by: Account | null;
  readonly head: Side;
  readonly base: Side;
}

interface Side {
  readonly ref: string;
  readonly sha: string;
  readonly repo: { readonly id: number } | null;
}

interface Asked {
  readonly repo: RepoRef;
  readonly memory: Memory;
  readonly number: number;
}

/** An issue as it is now; its text is not kept in memory, since it may be long. */
export async function readIssueFacts(
  gh: GitHub,
  { repo, number }: Omit<Asked, 'memory'>,
): Promise<IssueFacts | 'missing' | 'moved'> {
  const asked = gh.call({ repo, profile: 'issues' }, 'GET /repos/{owner}/{repo}/issues/{issue_number}', {
    issue_number: number,
  });
  const answer = await orExpected(asked, ({ kind }): 'missing' | 'moved' | undefined => {
    if (kind === 'moved') return 'moved';
    return kind === 'not_found' || kind === 'gone' ? 'missing' : undefined;
  });
  if (typeof answer === 'string') return answer;
  const { data } = answer;
  const labels = data.labels.map((label) => (typeof label === 'string' ? label : (label.name ?? '')));
  return {
    number: data.number,
    title: data.title,
    body: data.body ?? null,
    state: data.state,
    labels: labels.map((name) => ({ name })),
    type: data.type ? { name: data.type.name } : null,
    user: asAccount(data.user),
    updated_at: data.updated_at,
    closed_at: data.closed_at,
    closed_by: asAccount(data.closed_by),
  };
}

/** A pull request as it is now. */
export function readPullFacts(gh: GitHub, { repo, memory, number }: Asked): Promise<PullFacts | 'missing'> {
  const asked = unlessSeen(memory, `pull/${number}`, {
    ask: (etag) =>
      gh.call({ repo, profile: 'control', etag }, 'GET /repos/{owner}/{repo}/pulls/{pull_number}', {
        pull_number: number,
      }),
    pick: (data): PullFacts => ({
      number: data.number,
      html_url: data.html_url,
      state: data.state,
      merged: data.merged,
      merge_commit_sha: data.merge_commit_sha,
      closed_at: data.closed_at,
      updated_at: data.updated_at,
      user: asAccount(data.user),
      merged_by: asAccount(data.merged_by),
      head: sideOf(data.head),
      base: sideOf(data.base),
    }),
  });
  return orExpected(asked, ({ kind }) => (kind === 'not_found' || kind === 'gone' ? 'missing' : undefined));
}

interface RawAccount {
  readonly id: number | bigint;
  readonly login: string;
  readonly type: string;
}

function asAccount(raw: RawAccount | null | undefined): Account | null {
  return raw ? { id: toId(raw.id), login: raw.login, type: raw.type } : null;
}

function sideOf(raw: { ref: string; sha: string; repo: { id: number | bigint } | null }): Side {
  return { ref: raw.ref, sha: raw.sha, repo: raw.repo ? { id: toId(raw.repo.id) } : null };
}
