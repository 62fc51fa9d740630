import { atLeast, roleOf } from '../access.ts';
import { isReadyToMerge, setAutoMerge, settleAutoMerge } from '../auto-merge.ts';
import { emitIssue } from '../issue-actions.ts';
import { resolveThread } from '../review-actions.ts';
import { now, type PullIssue, type Repository, serially } from '../state.ts';
import { type Context, type Demand, may, refusal, requireMay } from './context.ts';
import { type Found, mustNode } from './nodes.ts';
import { actorView, nodeView, pullView, threadView } from './views.ts';

interface Input {
  readonly clientMutationId?: string;
}

type Pulled = Extract<Found, { kind: 'pull' }>;

function writes(context: Context, repo: Repository): boolean {
  return context.actor.kind === 'user' && atLeast(roleOf(repo, context.actor.account), 'write');
}

/** What GitHub wants for changing how a pull request stands: `contents: write` too, though nothing of that kind is written. */
function forPull(context: Context, repo: Repository, authorId: number): Demand {
  const person = writes(context, repo) || context.by.id === authorId;
  return { permissions: ['pull_requests:write', 'contents:write'], person };
}

function resolution(resolved: boolean) {
  return ({ input }: { input: Input & { threadId: string } }, context: Context) => {
    const found = mustNode(context, input.threadId, ['thread']);
    return serially(found.repo, async () => {
      const doing = requireMay(context, found.repo, forPull(context, found.repo, found.issue.userId));
      await resolveThread(doing, found, resolved);
      return { clientMutationId: input.clientMutationId ?? null, thread: threadView(context, found) };
    });
  };
}

type PullInput = Input & { readonly pullRequestId: string };

function onPull<I extends PullInput>(
  work: (at: Pulled, input: I, doing: ReturnType<typeof requireMay>) => Promise<void>,
) {
  return ({ input }: { input: I }, context: Context) => {
    const found = mustNode(context, input.pullRequestId, ['pull']);
    return serially(found.repo, async () => {
      const { repo, issue } = found;
      await work(found, input, requireMay(context, repo, forPull(context, repo, issue.userId)));
      return {
        clientMutationId: input.clientMutationId ?? null,
        actor: actorView(context, context.by.id),
        pullRequest: pullView(context, repo, issue),
      };
    });
  };
}

function requireOpen(issue: PullIssue): void {
  if (issue.state !== 'open') throw refusal('UNPROCESSABLE', 'Pull request is closed');
}

function drafting(draft: boolean) {
  return onPull(async ({ issue }, _input, doing) => {
    requireOpen(issue);
    if (issue.pull.draft === draft) return;
    issue.pull.draft = draft;
    issue.updatedAt = now(doing.world);
    await emitIssue(doing, issue, { action: draft ? 'converted_to_draft' : 'ready_for_review' });
    await settleAutoMerge(doing, issue);
  });
}

interface AutoMergeInput extends PullInput {
  readonly mergeMethod: 'MERGE' | 'SQUASH' | 'REBASE';
  readonly commitHeadline?: string;
  readonly commitBody?: string;
  readonly expectedHeadOid?: string;
}

const enableAutoMerge = onPull<AutoMergeInput>(async ({ repo, issue }, input, doing) => {
  requireOpen(issue);
  if (!repo.allowsAutoMerge)
    throw refusal('UNPROCESSABLE', 'Pull request Auto merge is not allowed for this repository');
  if (input.expectedHeadOid && input.expectedHeadOid !== issue.pull.headSha)
    throw refusal('UNPROCESSABLE', 'Pull request Head branch was modified. Review and try the merge again.');
  if (await isReadyToMerge(doing, issue))
    throw refusal('UNPROCESSABLE', 'Pull request Pull request is in clean status');
  await setAutoMerge(doing, issue, {
    enabledById: doing.by.id,
    enabledAt: now(doing.world),
    method: input.mergeMethod.toLowerCase() as 'merge' | 'squash' | 'rebase',
    title: input.commitHeadline,
    message: input.commitBody,
  });
});

const disableAutoMerge = onPull(async ({ issue }, _input, doing) => {
  if (!issue.pull.autoMerge)
    throw refusal('UNPROCESSABLE', "Can't disable auto-merge for this pull request.");
  await setAutoMerge(doing, issue, null);
});

interface MinimizeInput extends Input {
  readonly subjectId: string;
  readonly classifier?: string;
}

function minimizing(field: 'minimizedComment' | 'unminimizedComment') {
  return ({ input }: { input: MinimizeInput }, context: Context) => {
    const found = mustNode(context, input.subjectId, ['comment', 'reviewComment']);
    const { repo, comment } = found;
    const person = writes(context, repo) || comment.userId === context.by.id;
    // One of the two is enough, whichever thing the comment is on.
    const talks = ['issues:write', 'pull_requests:write'].find((one) =>
      may(context, { permissions: [one], person }),
    );
    requireMay(context, repo, { permissions: [talks ?? 'issues:write'], person });
    comment.minimized =
      field === 'minimizedComment' ? String(input.classifier).toLowerCase().replaceAll('_', '-') : null;
    return { clientMutationId: input.clientMutationId ?? null, [field]: nodeView(context, found) };
  };
}

/** The fields of Mutation. */
export const mutations = {
  resolveReviewThread: resolution(true),
  unresolveReviewThread: resolution(false),
  markPullRequestReadyForReview: drafting(false),
  convertPullRequestToDraft: drafting(true),
  enablePullRequestAutoMerge: enableAutoMerge,
  disablePullRequestAutoMerge: disableAutoMerge,
  minimizeComment: minimizing('minimizedComment'),
  unminimizeComment: minimizing('unminimizedComment'),
};
