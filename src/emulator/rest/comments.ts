import { addComment, editComment, removeComment } from '../issue-actions.ts';
import { commentJson } from '../payloads/issue.ts';
import { created, noContent, notFound, ok, problem, type Reply } from '../reply.ts';
import type { Comment, Issue } from '../state.ts';
import { requiredText } from './body.ts';
import { actingAppId, type RepoCall, type Route, repoRoute } from './call.ts';
import { doing, issueOf, mayAs } from './issues.ts';
import { paged } from './paging.ts';

const REPO = '/repos/{owner}/{repo}';
const ONE = `${REPO}/issues/comments/{comment_id}`;
// GitHub's own limit on the text of a comment.
const MAX_BODY = 65_536;

/** The comment of the path with its issue; 404 for none. */
export function commentOf(call: RepoCall): { issue: Issue; comment: Comment } {
  const id = Number(call.params.comment_id);
  const issue = call.repo.commentOwners.get(id);
  const comment = issue?.comments.find((one) => one.id === id);
  if (!issue || !comment) throw notFound();
  return { issue, comment };
}

function bodyIn(call: RepoCall): string {
  const body = requiredText(call.body, 'body');
  if (body.trim() === '')
    throw problem(422, 'Validation Failed', {
      errors: [{ resource: 'IssueComment', code: 'missing_field', field: 'body' }],
    });
  if (body.length > MAX_BODY) {
    const message = 'body is too long (maximum is 65536 characters)';
    throw problem(422, 'Validation Failed', {
      errors: [{ resource: 'IssueComment', code: 'unprocessable', field: 'data', message }],
    });
  }
  return body;
}

/** Authors change their own comments; others need the write role. An App may change only its own. */
function requireAuthor(call: RepoCall, comment: Comment): void {
  const mine = call.account?.id === comment.userId;
  if (!mine && (call.actor.kind !== 'user' || !mayAs(call, 'write')))
    throw problem(403, 'Must have admin rights to Repository.');
}

function since(call: RepoCall, comments: readonly Comment[]): Comment[] {
  const from = Date.parse(call.query.get('since') ?? '') || 0;
  return comments.filter((comment) => comment.updatedAt.getTime() >= from);
}

async function create(call: RepoCall): Promise<Reply> {
  const issue = issueOf(call);
  const comment = await addComment(doing(call), issue, { body: bodyIn(call), appId: actingAppId(call) });
  return created(commentJson(call.world, call.repo, comment));
}

function ordered(call: RepoCall, comments: readonly Comment[]): Comment[] {
  const by = call.query.get('sort') === 'updated' ? 'updatedAt' : 'createdAt';
  const sorted = [...comments].sort(
    (one, other) => one[by].getTime() - other[by].getTime() || one.id - other.id,
  );
  return call.query.get('direction') === 'desc' ? sorted.reverse() : sorted;
}

/** Comments on issues and pull requests. */
export const commentRoutes: readonly Route[] = [
  repoRoute(`POST ${REPO}/issues/{issue_number}/comments`, 'issue:write@read', create),
  repoRoute(`GET ${REPO}/issues/{issue_number}/comments`, 'issue:read', (call) => {
    const issue = issueOf(call);
    const path = `/repos/${call.params.owner}/${call.params.repo}/issues/${issue.number}/comments`;
    return paged(call, since(call, issue.comments), {
      path,
      show: (one) => commentJson(call.world, call.repo, one),
    });
  }),
  repoRoute(`GET ${REPO}/issues/comments`, 'issue:read', (call) => {
    const all = [...call.repo.issues.values()].flatMap((issue) => issue.comments);
    const path = `/repos/${call.params.owner}/${call.params.repo}/issues/comments`;
    return paged(call, ordered(call, since(call, all)), {
      path,
      show: (one) => commentJson(call.world, call.repo, one),
    });
  }),
  repoRoute(`GET ${ONE}`, 'issue:read', (call) =>
    ok(commentJson(call.world, call.repo, commentOf(call).comment)),
  ),
  repoRoute(`PATCH ${ONE}`, 'issue:write@read', async (call) => {
    const at = commentOf(call);
    requireAuthor(call, at.comment);
    await editComment(doing(call), at, bodyIn(call));
    return ok(commentJson(call.world, call.repo, at.comment));
  }),
  repoRoute(`DELETE ${ONE}`, 'issue:write@read', async (call) => {
    const at = commentOf(call);
    requireAuthor(call, at.comment);
    await removeComment(doing(call), at);
    return noContent();
  }),
];
