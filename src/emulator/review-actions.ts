import { emit } from './events.ts';
import { changedFiles } from './git/diff.ts';
import { mergeBase } from './git/history.ts';
import { hunkTo } from './git/hunk.ts';
import type { Doing } from './issue-actions.ts';
import { pullJson } from './payloads/pull.ts';
import { type CommentPlace, reviewCommentHookJson, reviewJson } from './payloads/review.ts';
import type { Place, Review, ReviewComment, ReviewThread, ReviewVerdict } from './review-state.ts';
import { type Json, nextId, nodeId, now, type PullIssue, stamp } from './state.ts';

export interface NewThread {
  readonly place: Place;
  readonly body: string;
}

export interface NewReview {
  readonly verdict: ReviewVerdict;
  readonly body: string;
  readonly commitId: string;
  readonly appId: number | null;
  readonly threads: readonly NewThread[];
}

/** Where the diff of a pull request shows a place; null where it does not. */
export async function findHunk(
  doing: Doing,
  issue: PullIssue,
  place: Place,
): Promise<{ text: string; position: number } | null> {
  const { dir } = doing.repo.git;
  const { baseSha, headSha } = issue.pull;
  const base = (await mergeBase(dir, baseSha, headSha)) ?? baseSha;
  const file = (await changedFiles(dir, base, headSha)).find((one) => one.path === place.path);
  if (!file) return null;
  return place.line === null
    ? { text: file.patch?.split('\n')[0] ?? '', position: 1 }
    : hunkTo(file.patch ?? '', { side: place.side, line: place.line });
}

/** Submits a review with its threads and sends `pull_request_review.submitted`, then one `pull_request_review_comment.created` for each. */
export async function submitReview(doing: Doing, issue: PullIssue, fresh: NewReview): Promise<Review> {
  const review = addReview(doing, issue, fresh);
  await emitReview(doing, { issue, review, action: 'submitted' });
  for (const one of fresh.threads) await beginThread(doing, issue, { ...one, review });
  return review;
}

function addReview(doing: Doing, issue: PullIssue, fresh: Omit<NewReview, 'threads'>): Review {
  const review: Review = {
    id: nextId(doing.world),
    userId: doing.by.id,
    appId: fresh.appId,
    commitId: fresh.commitId,
    submittedAt: now(doing.world),
    body: fresh.body,
    state: fresh.verdict,
  };
  issue.pull.reviews.push(review);
  issue.updatedAt = review.submittedAt;
  return review;
}

async function beginThread(
  doing: Doing,
  issue: PullIssue,
  fresh: NewThread & { review: Review },
): Promise<CommentPlace> {
  const hunk = await findHunk(doing, issue, fresh.place);
  const thread: ReviewThread = {
    ...fresh.place,
    id: nextId(doing.world),
    commitId: fresh.review.commitId,
    diffHunk: hunk?.text ?? '',
    position: hunk?.position ?? 1,
    comments: [],
    resolvedById: null,
  };
  issue.pull.threads.push(thread);
  return addToThread(doing, issue, { ...fresh, thread });
}

async function addToThread(
  doing: Doing,
  issue: PullIssue,
  fresh: { review: Review; thread: ReviewThread; body: string },
): Promise<CommentPlace> {
  const at = now(doing.world);
  const comment: ReviewComment = {
    id: nextId(doing.world),
    reviewId: fresh.review.id,
    userId: doing.by.id,
    appId: fresh.review.appId,
    inReplyToId: fresh.thread.comments[0]?.id ?? null,
    createdAt: at,
    updatedAt: at,
    reactions: [],
    body: fresh.body,
    minimized: null,
  };
  fresh.thread.comments.push(comment);
  const place = { issue, thread: fresh.thread, comment };
  await emitReviewComment(doing, place, { action: 'created' });
  return place;
}

/** A single comment or reply: GitHub wraps it in a review of its own. */
export async function addReviewComment(
  doing: Doing,
  issue: PullIssue,
  fresh: { body: string; appId: number | null; commitId: string; on: Place | ReviewThread },
): Promise<CommentPlace> {
  const { body, appId, commitId, on } = fresh;
  const review = addReview(doing, issue, { verdict: 'COMMENTED', body: '', commitId, appId });
  await emitReview(doing, { issue, review, action: 'submitted' });
  return 'comments' in on
    ? addToThread(doing, issue, { review, thread: on, body })
    : beginThread(doing, issue, { review, place: on, body });
}

/** Takes a verdict back and sends `pull_request_review.dismissed`. */
export async function dismissReview(doing: Doing, issue: PullIssue, review: Review): Promise<void> {
  review.state = 'DISMISSED';
  await emitReview(doing, { issue, review, action: 'dismissed' });
}

/** Resolves a thread or opens it again and tells so; nothing when it is so already. */
export async function resolveThread(
  doing: Doing,
  at: { issue: PullIssue; thread: ReviewThread },
  resolved: boolean,
): Promise<void> {
  const { world, repo, by } = doing;
  const { issue, thread } = at;
  if ((thread.resolvedById !== null) === resolved) return;
  thread.resolvedById = resolved ? by.id : null;
  await emit(world, repo, {
    event: 'pull_request_review_thread',
    action: resolved ? 'resolved' : 'unresolved',
    sender: by,
    build: async () => ({
      pull_request: pullJson(world, repo, issue),
      thread: {
        node_id: nodeId('PRRT', thread.id),
        comments: await Promise.all(
          thread.comments.map((comment) => reviewCommentHookJson(world, repo, { ...at, comment })),
        ),
      },
      updated_at: stamp(now(world)),
    }),
  });
}

async function emitReview(
  doing: Doing,
  event: { issue: PullIssue; review: Review; action: string },
): Promise<void> {
  const { world, repo, by } = doing;
  await emit(world, repo, {
    event: 'pull_request_review',
    action: event.action,
    sender: by,
    build: () => {
      const review = reviewJson(world, repo, event);
      return {
        review: { ...review, state: event.review.state.toLowerCase() },
        pull_request: pullJson(world, repo, event.issue),
      };
    },
  });
}

/** Sends `pull_request_review_comment.{action}`. */
export async function emitReviewComment(
  doing: Doing,
  at: CommentPlace,
  event: { action: string; fields?: Json },
): Promise<void> {
  const { world, repo, by } = doing;
  await emit(world, repo, {
    event: 'pull_request_review_comment',
    action: event.action,
    sender: by,
    build: async () => ({
      comment: await reviewCommentHookJson(world, repo, at),
      pull_request: pullJson(world, repo, at.issue),
      ...event.fields,
    }),
  });
}
