import { shownMergeState } from '../merge-state.ts';
import { figuresOf } from '../pull-figures.ts';
import {
  accountOf,
  fullName,
  type Json,
  nodeId,
  type PullIssue,
  type Repository,
  stamp,
  type World,
} from '../state.ts';
import { userJson } from './accounts.ts';
import { associationOf, issuePage } from './issue.ts';
import { labelJson, MERGE_SETTINGS, repositoryApi, repositoryJson } from './repository.ts';

/** A pull request as lists show it. */
export function pullJson(world: World, repo: Repository, issue: PullIssue): Json {
  const url = `${repositoryApi(world, repo)}/pulls/${issue.number}`;
  const html = issuePage(world, repo, issue);
  const pull = issue.pull;
  return {
    url,
    id: pull.id,
    node_id: nodeId('PR', pull.id),
    html_url: html,
    diff_url: `${html}.diff`,
    patch_url: `${html}.patch`,
    issue_url: `${repositoryApi(world, repo)}/issues/${issue.number}`,
    number: issue.number,
    state: issue.state,
    locked: false,
    title: issue.title,
    user: userJson(world, accountOf(world, issue.userId)),
    body: issue.body,
    created_at: stamp(issue.createdAt),
    updated_at: stamp(issue.updatedAt),
    closed_at: issue.closedAt ? stamp(issue.closedAt) : null,
    merged_at: pull.mergedAt ? stamp(pull.mergedAt) : null,
    merge_commit_sha: pull.mergeSha,
    assignee: null,
    assignees: [],
    requested_reviewers: [],
    requested_teams: [],
    labels: issue.labels.map((label) => labelJson(world, repo, label)),
    milestone: null,
    draft: pull.draft,
    ...links(world, repo, issue),
    head: sideJson(world, repo, { ref: pull.headRef, sha: pull.headSha }),
    base: sideJson(world, repo, { ref: pull.baseRef, sha: pull.baseSha }),
    author_association: associationOf(repo, issue.userId),
    auto_merge: autoMergeJson(world, issue),
    active_lock_reason: null,
  };
}

function autoMergeJson(world: World, issue: PullIssue): Json | null {
  const { autoMerge } = issue.pull;
  if (!autoMerge) return null;
  return {
    enabled_by: userJson(world, accountOf(world, autoMerge.enabledById)),
    merge_method: autoMerge.method,
    commit_title: autoMerge.title ?? `${issue.title} (#${issue.number})`,
    commit_message: autoMerge.message ?? '',
  };
}

function links(world: World, repo: Repository, issue: PullIssue): Json {
  const url = `${repositoryApi(world, repo)}/pulls/${issue.number}`;
  const issueUrl = `${repositoryApi(world, repo)}/issues/${issue.number}`;
  const statuses = `${repositoryApi(world, repo)}/statuses/${issue.pull.headSha}`;
  const href = (address: string) => ({ href: address });
  return {
    commits_url: `${url}/commits`,
    review_comments_url: `${url}/comments`,
    review_comment_url: `${repositoryApi(world, repo)}/pulls/comments{/number}`,
    comments_url: `${issueUrl}/comments`,
    statuses_url: statuses,
    _links: {
      self: href(url),
      html: href(issuePage(world, repo, issue)),
      issue: href(issueUrl),
      comments: href(`${issueUrl}/comments`),
      review_comments: href(`${url}/comments`),
      review_comment: href(`${repositoryApi(world, repo)}/pulls/comments{/number}`),
      commits: href(`${url}/commits`),
      statuses: href(statuses),
    },
  };
}

function sideJson(world: World, repo: Repository, side: { ref: string; sha: string }): Json {
  const owner = accountOf(world, repo.ownerId);
  return {
    label: `${owner.login}:${side.ref}`,
    ref: side.ref,
    sha: side.sha,
    user: userJson(world, owner),
    repo: { ...repositoryJson(world, repo), ...MERGE_SETTINGS },
  };
}

/** A pull request as `GET /repos/{owner}/{repo}/pulls/{pull_number}` and webhooks show it. */
export async function fullPullJson(world: World, repo: Repository, issue: PullIssue): Promise<Json> {
  const figures = await figuresOf(repo, issue);
  const { mergedById, mergedAt } = issue.pull;
  const { mergeable, state } = await shownMergeState(world, repo, issue);
  return {
    ...pullJson(world, repo, issue),
    merged: mergedAt !== null,
    mergeable,
    rebaseable: mergeable,
    mergeable_state: state,
    merged_by: mergedById === null ? null : userJson(world, accountOf(world, mergedById)),
    comments: issue.comments.length,
    review_comments: issue.pull.threads.reduce((sum, thread) => sum + thread.comments.length, 0),
    maintainer_can_modify: false,
    commits: figures.commits,
    additions: figures.additions,
    deletions: figures.deletions,
    changed_files: figures.changedFiles,
  };
}

/** The page that compares two branches, as push webhooks name it. */
export function comparePage(world: World, repo: Repository, range: string): string {
  return `${world.url}/${fullName(world, repo)}/compare/${range}`;
}
