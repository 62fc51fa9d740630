import type { Review, ReviewComment, ReviewThread } from '../review-state.ts';
import {
  accountOf,
  type Json,
  nodeId,
  type PullIssue,
  type Repository,
  stamp,
  type World,
} from '../state.ts';
import { userJson } from './accounts.ts';
import { associationOf, issuePage, reactionCounts } from './issue.ts';
import { repositoryApi } from './repository.ts';

/** A review as REST shows it. */
export function reviewJson(world: World, repo: Repository, at: { issue: PullIssue; review: Review }): Json {
  const { issue, review } = at;
  const html = `${issuePage(world, repo, issue)}#pullrequestreview-${review.id}`;
  const pullUrl = `${repositoryApi(world, repo)}/pulls/${issue.number}`;
  return {
    id: review.id,
    node_id: nodeId('PRR', review.id),
    user: userJson(world, accountOf(world, review.userId)),
    body: review.body,
    state: review.state,
    html_url: html,
    pull_request_url: pullUrl,
    _links: { html: { href: html }, pull_request: { href: pullUrl } },
    submitted_at: stamp(review.submittedAt),
    commit_id: review.commitId,
    author_association: associationOf(repo, review.userId),
  };
}

export interface CommentPlace {
  readonly issue: PullIssue;
  readonly thread: ReviewThread;
  readonly comment: ReviewComment;
}

/** Whether what a thread is about has changed since, as far as its file is concerned. */
export async function isOutdated(repo: Repository, issue: PullIssue, thread: ReviewThread): Promise<boolean> {
  if (issue.pull.headSha === thread.commitId) return false;
  const [then, now] = await Promise.all(
    [thread.commitId, issue.pull.headSha].map((sha) => repo.git.read(`${sha}:${thread.path}`)),
  );
  return then?.sha !== now?.sha;
}

/** A comment on a line or file of a pull request, as REST and webhooks show it. */
export async function reviewCommentJson(world: World, repo: Repository, at: CommentPlace): Promise<Json> {
  const { issue, thread, comment } = at;
  const url = `${repositoryApi(world, repo)}/pulls/comments/${comment.id}`;
  const html = `${issuePage(world, repo, issue)}#discussion_r${comment.id}`;
  const pullUrl = `${repositoryApi(world, repo)}/pulls/${issue.number}`;
  return {
    url,
    pull_request_review_id: comment.reviewId,
    id: comment.id,
    node_id: nodeId('PRRC', comment.id),
    diff_hunk: thread.diffHunk,
    path: thread.path,
    original_commit_id: thread.commitId,
    user: userJson(world, accountOf(world, comment.userId)),
    body: comment.body,
    created_at: stamp(comment.createdAt),
    updated_at: stamp(comment.updatedAt),
    html_url: html,
    pull_request_url: pullUrl,
    author_association: associationOf(repo, comment.userId),
    _links: { self: { href: url }, html: { href: html }, pull_request: { href: pullUrl } },
    reactions: reactionCounts(url, comment.reactions),
    ...(await placeJson(repo, issue, thread)),
    ...(comment.inReplyToId === null ? {} : { in_reply_to_id: comment.inReplyToId }),
  };
}

/** The same comment as webhooks show it, which name what is missing. */
export async function reviewCommentHookJson(world: World, repo: Repository, at: CommentPlace): Promise<Json> {
  return { position: null, line: null, ...(await reviewCommentJson(world, repo, at)) };
}

async function placeJson(repo: Repository, issue: PullIssue, thread: ReviewThread): Promise<Json> {
  const outdated = await isOutdated(repo, issue, thread);
  return {
    commit_id: outdated ? thread.commitId : issue.pull.headSha,
    original_position: thread.position,
    start_line: outdated ? null : thread.startLine,
    original_start_line: thread.startLine,
    start_side: thread.startSide,
    ...(thread.line === null ? {} : { original_line: thread.line }),
    side: thread.side,
    subject_type: thread.line === null ? 'file' : 'line',
    // GitHub's description knows these as numbers only, so they are left out where there is none.
    ...(outdated ? {} : { position: thread.position }),
    ...(outdated || thread.line === null ? {} : { line: thread.line }),
  };
}
