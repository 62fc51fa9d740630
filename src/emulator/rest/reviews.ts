import { settleAutoMerge } from '../auto-merge.ts';
import { reviewCommentJson, reviewJson } from '../payloads/review.ts';
import { notFound, ok, problem, type Reply } from '../reply.ts';
import { dismissReview, type NewThread, submitReview } from '../review-actions.ts';
import type { Review, ReviewVerdict } from '../review-state.ts';
import { fullName, type Json, type PullIssue } from '../state.ts';
import { optionalChoice, optionalText, requiredText } from './body.ts';
import { actingAppId, type RepoCall, type Route, repoRoute } from './call.ts';
import { doing } from './issues.ts';
import { paged } from './paging.ts';
import { pullOf } from './pulls.ts';
import { placeIn, requireInDiff } from './review-place.ts';

const REVIEWS = '/repos/{owner}/{repo}/pulls/{pull_number}/reviews';
const ONE = `${REVIEWS}/{review_id}`;

const VERDICTS: Record<string, ReviewVerdict> = {
  APPROVE: 'APPROVED',
  REQUEST_CHANGES: 'CHANGES_REQUESTED',
  COMMENT: 'COMMENTED',
};

function refused(message: string): Error {
  return problem(422, 'Unprocessable Entity', { errors: [message] });
}

async function threadsIn(call: RepoCall, issue: PullIssue): Promise<NewThread[]> {
  const { comments = [] } = call.body;
  if (!Array.isArray(comments)) throw problem(422, 'Invalid request.\n\n"comments" is not an array.');
  const threads = (comments as Json[]).map((one) => ({
    place: placeIn(one),
    body: requiredText(one, 'body'),
  }));
  for (const { place } of threads) await requireInDiff(doing(call), issue, place);
  return threads;
}

async function submit(call: RepoCall): Promise<Reply> {
  const issue = pullOf(call);
  const event = optionalChoice(call.body, 'event', ['APPROVE', 'REQUEST_CHANGES', 'COMMENT']);
  if (!event) throw refused('The emulator keeps no pending reviews: name an event');
  const body = optionalText(call.body, 'body') ?? '';
  const threads = await threadsIn(call, issue);
  const own = call.account?.id === issue.userId;
  if (own && event !== 'COMMENT')
    throw refused(`Can not ${event === 'APPROVE' ? 'approve' : 'request changes on'} your own pull request`);
  if (event !== 'APPROVE' && body === '' && threads.length === 0)
    throw refused('Review body is required unless there are comments');
  const commitId = optionalText(call.body, 'commit_id') ?? issue.pull.headSha;
  const verdict = VERDICTS[event] ?? 'COMMENTED';
  const fresh = { verdict, body, commitId, appId: actingAppId(call), threads };
  const review = await submitReview(doing(call), issue, fresh);
  await settleAutoMerge(doing(call), issue);
  return ok(reviewJson(call.world, call.repo, { issue, review }));
}

function reviewOf(call: RepoCall): { issue: PullIssue; review: Review } {
  const issue = pullOf(call);
  const review = issue.pull.reviews.find((one) => one.id === Number(call.params.review_id));
  if (!review) throw notFound();
  return { issue, review };
}

async function dismiss(call: RepoCall): Promise<Reply> {
  const at = reviewOf(call);
  requiredText(call.body, 'message');
  if (at.review.state === 'COMMENTED') throw refused('Can not dismiss a commented pull request review');
  await dismissReview(doing(call), at.issue, at.review);
  return ok(reviewJson(call.world, call.repo, at));
}

/** Reviews of pull requests. */
export const reviewRoutes: readonly Route[] = [
  repoRoute(`POST ${REVIEWS}`, 'pull_requests:write@read', submit),
  repoRoute(`GET ${REVIEWS}`, 'pull_requests:read', (call) => {
    const issue = pullOf(call);
    return paged(call, issue.pull.reviews, {
      path: `/repos/${fullName(call.world, call.repo)}/pulls/${issue.number}/reviews`,
      show: (review) => reviewJson(call.world, call.repo, { issue, review }),
    });
  }),
  repoRoute(`GET ${ONE}`, 'pull_requests:read', (call) =>
    ok(reviewJson(call.world, call.repo, reviewOf(call))),
  ),
  repoRoute(`PUT ${ONE}/dismissals`, 'pull_requests:write', dismiss),
  repoRoute(`GET ${ONE}/comments`, 'pull_requests:read', (call) => {
    const { issue, review } = reviewOf(call);
    const mine = issue.pull.threads.flatMap((thread) =>
      thread.comments
        .filter((comment) => comment.reviewId === review.id)
        .map((comment) => ({ issue, thread, comment })),
    );
    return paged(call, mine, {
      path: `/repos/${fullName(call.world, call.repo)}/pulls/${issue.number}/reviews/${review.id}/comments`,
      show: (at) => reviewCommentJson(call.world, call.repo, at),
    });
  }),
];
