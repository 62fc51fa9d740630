import { settleAutoMerge } from '../auto-merge.ts';
import { emit } from '../events.ts';
import { listRefs } from '../git/refs.ts';
import { isPull } from '../issue-actions.ts';
import { statusJson } from '../payloads/check.ts';
import { commitJson } from '../payloads/commit.ts';
import { repositoryApi, repositoryJson } from '../payloads/repository.ts';
import { created, ok, type Reply } from '../reply.ts';
import type { CommitStatus } from '../review-state.ts';
import { fullName, type Json, nextId, now } from '../state.ts';
import { optionalChoice, optionalText, requiredText } from './body.ts';
import { actingAccount, type RepoCall, type Route, repoRoute } from './call.ts';
import { mustCommit } from './commits.ts';
import { doing } from './issues.ts';
import { paged } from './paging.ts';

const COMMIT = '/repos/{owner}/{repo}/commits/{ref...}';
const STATES = ['error', 'failure', 'pending', 'success'] as const;

async function create(call: RepoCall): Promise<Reply> {
  requiredText(call.body, 'state');
  const { sha } = await mustCommit(call, call.params.sha ?? '');
  const status: CommitStatus = {
    id: nextId(call.world),
    sha,
    creatorId: actingAccount(call).id,
    state: optionalChoice(call.body, 'state', STATES) ?? 'pending',
    context: optionalText(call.body, 'context') ?? 'default',
    description: optionalText(call.body, 'description') ?? null,
    targetUrl: optionalText(call.body, 'target_url') ?? null,
    createdAt: now(call.world),
  };
  call.repo.statuses.push(status);
  await tell(call, status);
  return created(statusJson(call.world, call.repo, status));
}

async function tell(call: RepoCall, status: CommitStatus): Promise<void> {
  const { world, repo } = call;
  const at = doing(call);
  const build = async () => {
    const { url: _url, node_id: _node, creator: _creator, ...shown } = statusJson(world, repo, status);
    const commit = await repo.git.commit(status.sha);
    const heads = (await listRefs(repo.git.dir, 'refs/heads/')).filter(({ sha }) => sha === status.sha);
    return {
      ...shown,
      sha: status.sha,
      name: fullName(world, repo),
      commit: commit && withOldAccounts(commitJson(world, repo, commit)),
      branches: heads.map(({ ref, sha }) => ({
        name: ref.slice('refs/heads/'.length),
        commit: { sha, url: `${repositoryApi(world, repo)}/commits/${sha}` },
        protected: false,
      })),
    };
  };
  await emit(world, repo, { event: 'status', sender: at.by, build });
  for (const issue of [...repo.issues.values()].filter(isPull))
    if (issue.pull.headSha === status.sha) await settleAutoMerge(at, issue);
}

/** The accounts of this one payload lack a field that all others have. */
function withOldAccounts(commit: Json): Json {
  const old = (account: unknown) => {
    if (account === null) return null;
    const { user_view_type: _type, ...rest } = account as Json;
    return rest;
  };
  return { ...commit, author: old(commit.author), committer: old(commit.committer) };
}

/** All statuses of a commit, newest first. */
function statusesAt(call: RepoCall, sha: string): CommitStatus[] {
  return call.repo.statuses.filter((one) => one.sha === sha).reverse();
}

async function combined(call: RepoCall): Promise<Reply> {
  const { world, repo } = call;
  const { sha } = await mustCommit(call, call.params.ref ?? '');
  const newest = [
    ...new Map(
      statusesAt(call, sha)
        .toReversed()
        .map((one) => [one.context, one]),
    ).values(),
  ];
  const states = newest.map((one) => one.state);
  const failed = states.some((one) => one === 'failure' || one === 'error');
  const state = failed
    ? 'failure'
    : states.length === 0 || states.includes('pending')
      ? 'pending'
      : 'success';
  const url = `${repositoryApi(world, repo)}/commits/${sha}`;
  const statuses = newest.map((one) => {
    const { creator: _creator, ...shown }: Json = statusJson(world, repo, one);
    return shown;
  });
  const repository = minimal(repositoryJson(world, repo));
  return ok({
    state,
    statuses,
    sha,
    total_count: newest.length,
    repository,
    commit_url: url,
    url: `${url}/status`,
  });
}

/** The part of a repository that stands inside other objects. */
function minimal(repository: Json): Json {
  const kept = /^(id|node_id|name|full_name|owner|private|description|fork|html_url|url|.*_url)$/;
  return Object.fromEntries(Object.entries(repository).filter(([name]) => kept.test(name)));
}

/** Statuses of commits. */
export const statusRoutes: readonly Route[] = [
  repoRoute('POST /repos/{owner}/{repo}/statuses/{sha}', 'statuses:write', create),
  repoRoute(`GET ${COMMIT}/status`, 'statuses:read', combined),
  repoRoute(`GET ${COMMIT}/statuses`, 'statuses:read', async (call) => {
    const { sha } = await mustCommit(call, call.params.ref ?? '');
    const path = `/repos/${fullName(call.world, call.repo)}/commits/${call.params.ref}/statuses`;
    return paged(call, statusesAt(call, sha), {
      path,
      show: (one) => statusJson(call.world, call.repo, one),
    });
  }),
];
