import { atLeast, roleOf } from '../access.ts';
import { askMergeability, reviewDecision, shownMergeState } from '../merge-state.ts';
import { issuePage } from '../payloads/issue.ts';
import { isOutdated } from '../payloads/review.ts';
import type { ReviewComment, ReviewThread } from '../review-state.ts';
import {
  accountOf,
  type Comment,
  fullName,
  nodeId,
  type PullIssue,
  type Repository,
  stamp,
} from '../state.ts';
import { connection, type PageArguments } from './connection.ts';
import type { Context } from './context.ts';
import type { Found } from './nodes.ts';

/** An account as an Actor. */
export function actorView({ world }: Context, accountId: number) {
  const { id, login, type } = accountOf(world, accountId);
  const bot = type === 'Bot';
  const name = bot ? login.replace('[bot]', '') : login; // GraphQL shows a bot without its suffix
  const url = `${world.url}/${bot ? `apps/${name}` : name}`;
  return { __typename: bot ? 'Bot' : 'User', id: nodeId('U', id), databaseId: id, login: name, url };
}

/** A repository. */
export function repositoryView(context: Context, repo: Repository) {
  const { world } = context;
  return {
    __typename: 'Repository',
    id: nodeId('R', repo.id),
    databaseId: repo.id,
    name: repo.name,
    nameWithOwner: fullName(world, repo),
    url: `${world.url}/${fullName(world, repo)}`,
    autoMergeAllowed: repo.allowsAutoMerge,
    pullRequest({ number }: { number: number }) {
      const issue = repo.issues.get(number);
      return issue?.pull ? pullView(context, repo, issue as PullIssue) : null;
    },
  };
}

/** A pull request; asking for its merge starts working it out, as in REST. */
export function pullView(context: Context, repo: Repository, issue: PullIssue): Record<string, unknown> {
  const { world } = context;
  const { pull } = issue;
  const state = pull.mergedAt ? 'MERGED' : issue.state.toUpperCase();
  const mergeState = async () => {
    const shown = await shownMergeState(world, repo, issue);
    askMergeability(world, issue);
    return shown;
  };
  return {
    __typename: 'PullRequest',
    id: nodeId('PR', pull.id),
    databaseId: pull.id,
    fullDatabaseId: String(pull.id),
    number: issue.number,
    title: issue.title,
    body: issue.body ?? '',
    url: issuePage(world, repo, issue),
    author: actorView(context, issue.userId),
    state,
    closed: issue.state === 'closed',
    merged: pull.mergedAt !== null,
    isDraft: pull.draft,
    headRefName: pull.headRef,
    headRefOid: pull.headSha,
    baseRefName: pull.baseRef,
    baseRefOid: pull.baseSha,
    mergeable: async () => {
      const { mergeable } = await mergeState();
      return mergeable === null ? 'UNKNOWN' : mergeable ? 'MERGEABLE' : 'CONFLICTING';
    },
    mergeStateStatus: async () => (await mergeState()).state.toUpperCase(),
    reviewDecision: () => reviewDecision(world, repo, issue),
    repository: () => repositoryView(context, repo),
    autoMergeRequest: () => autoMergeView(context, repo, issue),
    reviewThreads: (page: PageArguments) =>
      connection(
        'reviewThreads',
        pull.threads.map((thread) => threadView(context, { repo, issue, thread })),
        page,
      ),
  };
}

function autoMergeView(context: Context, repo: Repository, issue: PullIssue) {
  const { autoMerge } = issue.pull;
  return (
    autoMerge && {
      enabledAt: stamp(autoMerge.enabledAt),
      enabledBy: actorView(context, autoMerge.enabledById),
      mergeMethod: autoMerge.method.toUpperCase(),
      commitHeadline: autoMerge.title ?? null,
      commitBody: autoMerge.message ?? null,
      pullRequest: () => pullView(context, repo, issue),
    }
  );
}

interface ThreadPlace {
  readonly repo: Repository;
  readonly issue: PullIssue;
  readonly thread: ReviewThread;
}

/** A review thread. */
export function threadView(context: Context, place: ThreadPlace) {
  const { repo, issue, thread } = place;
  const resolved = thread.resolvedById !== null;
  const { actor } = context;
  const writes = actor.kind !== 'user' || atLeast(roleOf(repo, actor.account), 'write');
  const outdated = () => isOutdated(repo, issue, thread);
  return {
    __typename: 'PullRequestReviewThread',
    id: nodeId('PRRT', thread.id),
    path: thread.path,
    diffSide: thread.side,
    startDiffSide: thread.startSide,
    line: async () => ((await outdated()) ? null : thread.line),
    startLine: async () => ((await outdated()) ? null : thread.startLine),
    originalLine: thread.line,
    originalStartLine: thread.startLine,
    subjectType: thread.line === null ? 'FILE' : 'LINE',
    isResolved: resolved,
    isCollapsed: resolved,
    isOutdated: outdated,
    resolvedBy: thread.resolvedById === null ? null : userView(context, thread.resolvedById),
    viewerCanReply: true,
    viewerCanResolve: writes && !resolved,
    viewerCanUnresolve: writes && resolved,
    pullRequest: () => pullView(context, repo, issue),
    repository: () => repositoryView(context, repo),
    comments: (page: PageArguments) =>
      connection(
        'comments',
        thread.comments.map((comment) => reviewCommentView(context, { ...place, comment })),
        page,
      ),
  };
}

/** An account where the schema has only users, even for a bot. */
export function userView(context: Context, accountId: number) {
  return { ...actorView(context, accountId), __typename: 'User' };
}

/** A comment in a review thread. */
export function reviewCommentView(
  context: Context,
  place: ThreadPlace & { comment: ReviewComment },
): Record<string, unknown> {
  const { repo, issue, thread, comment } = place;
  const outdated = () => isOutdated(repo, issue, thread);
  const first = thread.comments.find((one) => one.id === comment.inReplyToId);
  return {
    __typename: 'PullRequestReviewComment',
    ...commentFields(context, 'PRRC', comment),
    url: `${issuePage(context.world, repo, issue)}#discussion_r${comment.id}`,
    path: thread.path,
    diffHunk: thread.diffHunk,
    line: async () => ((await outdated()) ? null : thread.line),
    outdated,
    replyTo: () => first && reviewCommentView(context, { ...place, comment: first }),
  };
}

/** A comment on an issue or pull request. */
export function commentView(context: Context, repo: Repository, comment: Comment) {
  const issue = repo.issues.get(comment.issueNumber);
  return {
    __typename: 'IssueComment',
    ...commentFields(context, 'IC', comment),
    url: `${issue ? issuePage(context.world, repo, issue) : ''}#issuecomment-${comment.id}`,
  };
}

function commentFields(context: Context, kind: string, comment: Comment | ReviewComment) {
  return {
    id: nodeId(kind, comment.id),
    databaseId: comment.id,
    fullDatabaseId: String(comment.id),
    author: actorView(context, comment.userId),
    body: comment.body,
    createdAt: stamp(comment.createdAt),
    isMinimized: comment.minimized !== null,
    minimizedReason: comment.minimized,
    viewerCanMinimize: true,
  };
}

/** Whatever was found, as the node it is. */
export function nodeView(context: Context, found: Found): unknown {
  if (found.kind === 'repository') return repositoryView(context, found.repo);
  if (found.kind === 'pull') return pullView(context, found.repo, found.issue);
  if (found.kind === 'thread') return threadView(context, found);
  if (found.kind === 'reviewComment') return reviewCommentView(context, found);
  return commentView(context, found.repo, found.comment);
}
