import { isPull } from '../issue-actions.ts';
import { type CommentPlace, reviewCommentJson } from '../payloads/review.ts';
import { created, noContent, notFound, ok, problem, type Reply } from '../reply.ts';
import { addReviewComment, emitReviewComment } from '../review-actions.ts';
import { fullName, now, type PullIssue, type Repository } from '../state.ts';
import { optionalText, requiredText } from './body.ts';
import { actingAppId, type RepoCall, type Route, repoRoute } from './call.ts';
import { doing, mayAs } from './issues.ts';
import { paged } from './paging.ts';
import { pullOf } from './pulls.ts';
import { placeIn, requireInDiff } from './review-place.ts';

const PULL = '/repos/{owner}/{repo}/pulls/{pull_number}/comments';
const ONE = '/repos/{owner}/{repo}/pulls/comments/{comment_id}';

function commentsOf(issue: PullIssue): CommentPlace[] {
  const all = issue.pull.threads.flatMap((thread) =>
    thread.comments.map((comment) => ({ issue, thread, comment })),
  );
  return all.sort((one, other) => one.comment.id - other.comment.id);
}

function allComments(repo: Repository): CommentPlace[] {
  return [...repo.issues.values()].filter(isPull).flatMap(commentsOf);
}

function commentOf(call: RepoCall): CommentPlace {
  const found = allComments(call.repo).find(({ comment }) => comment.id === Number(call.params.comment_id));
  if (!found) throw notFound();
  return found;
}

function requireAuthor(call: RepoCall, at: CommentPlace): void {
  const mine = call.account?.id === at.comment.userId;
  if (!mine && (call.actor.kind !== 'user' || !mayAs(call, 'write')))
    throw problem(403, 'Must have admin rights to Repository.');
}

async function show(call: RepoCall, at: CommentPlace): Promise<Record<string, unknown>> {
  return reviewCommentJson(call.world, call.repo, at);
}

async function create(call: RepoCall): Promise<Reply> {
  const issue = pullOf(call);
  const replyTo = Number(call.body.in_reply_to);
  if (replyTo > 0) return reply(call, issue, replyTo);
  const place = placeIn(call.body);
  const body = requiredText(call.body, 'body');
  const commitId = requiredText(call.body, 'commit_id');
  await requireInDiff(doing(call), issue, place);
  const fresh = { body, appId: actingAppId(call), commitId, on: place };
  return created(await show(call, await addReviewComment(doing(call), issue, fresh)));
}

async function reply(call: RepoCall, issue: PullIssue, to: number): Promise<Reply> {
  const on = issue.pull.threads.find((thread) => thread.comments[0]?.id === to);
  if (!on) throw notFound();
  const body = requiredText(call.body, 'body');
  const fresh = { body, appId: actingAppId(call), commitId: issue.pull.headSha, on };
  return created(await show(call, await addReviewComment(doing(call), issue, fresh)));
}

async function edit(call: RepoCall): Promise<Reply> {
  const at = commentOf(call);
  requireAuthor(call, at);
  const from = at.comment.body;
  at.comment.body = requiredText(call.body, 'body');
  at.comment.updatedAt = now(call.world);
  await emitReviewComment(doing(call), at, { action: 'edited', fields: { changes: { body: { from } } } });
  return ok(await show(call, at));
}

async function remove(call: RepoCall): Promise<Reply> {
  const at = commentOf(call);
  requireAuthor(call, at);
  await emitReviewComment(doing(call), at, { action: 'deleted' });
  at.thread.comments.splice(at.thread.comments.indexOf(at.comment), 1);
  const { threads } = at.issue.pull;
  if (at.thread.comments.length === 0) threads.splice(threads.indexOf(at.thread), 1);
  return noContent();
}

function listed(call: RepoCall, all: readonly CommentPlace[], path: string): Promise<Reply> {
  const since = Date.parse(optionalText({ since: call.query.get('since') }, 'since') ?? '') || 0;
  const shown = all.filter(({ comment }) => comment.updatedAt.getTime() >= since);
  if (call.query.get('direction') === 'desc') shown.reverse();
  return paged(call, shown, {
    path: `/repos/${fullName(call.world, call.repo)}/${path}`,
    show: (at) => show(call, at),
  });
}

/** Comments on lines and files of pull requests. */
export const reviewCommentRoutes: readonly Route[] = [
  repoRoute(`POST ${PULL}`, 'pull_requests:write@read', create),
  repoRoute(`POST ${PULL}/{comment_id}/replies`, 'pull_requests:write@read', (call) =>
    reply(call, pullOf(call), Number(call.params.comment_id)),
  ),
  repoRoute(`GET ${PULL}`, 'pull_requests:read', (call) => {
    const issue = pullOf(call);
    return listed(call, commentsOf(issue), `pulls/${issue.number}/comments`);
  }),
  repoRoute('GET /repos/{owner}/{repo}/pulls/comments', 'pull_requests:read', (call) =>
    listed(call, allComments(call.repo), 'pulls/comments'),
  ),
  repoRoute(`GET ${ONE}`, 'pull_requests:read', async (call) => ok(await show(call, commentOf(call)))),
  repoRoute(`PATCH ${ONE}`, 'pull_requests:write@read', edit),
  repoRoute(`DELETE ${ONE}`, 'pull_requests:write@read', remove),
];
