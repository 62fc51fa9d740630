import { isPull } from '../issue-actions.ts';
import type { ReviewComment, ReviewThread } from '../review-state.ts';
import { type Comment, nodeId, type PullIssue, type Repository } from '../state.ts';
import { type Context, reaches, unresolved } from './context.ts';

export type Found =
  | { readonly kind: 'repository'; readonly repo: Repository }
  | { readonly kind: 'pull'; readonly repo: Repository; readonly issue: PullIssue }
  | {
      readonly kind: 'thread';
      readonly repo: Repository;
      readonly issue: PullIssue;
      readonly thread: ReviewThread;
    }
  | {
      readonly kind: 'reviewComment';
      readonly repo: Repository;
      readonly issue: PullIssue;
      readonly thread: ReviewThread;
      readonly comment: ReviewComment;
    }
  | { readonly kind: 'comment'; readonly repo: Repository; readonly comment: Comment };

/** Finds what a node id stands for, as far as the caller may know of it; null for nothing. */
export function findNode(context: Context, id: string): Found | null {
  for (const repo of context.world.repositories.values()) {
    const found = findIn(repo, id);
    if (found) return reaches(context, repo) ? found : null;
  }
  return null;
}

function findIn(repo: Repository, id: string): Found | null {
  if (nodeId('R', repo.id) === id) return { kind: 'repository', repo };
  for (const issue of repo.issues.values()) {
    const comment = issue.comments.find((one) => nodeId('IC', one.id) === id);
    if (comment) return { kind: 'comment', repo, comment };
    const found = isPull(issue) ? findInPull(repo, issue, id) : null;
    if (found) return found;
  }
  return null;
}

function findInPull(repo: Repository, issue: PullIssue, id: string): Found | null {
  if (nodeId('PR', issue.pull.id) === id) return { kind: 'pull', repo, issue };
  for (const thread of issue.pull.threads) {
    if (nodeId('PRRT', thread.id) === id) return { kind: 'thread', repo, issue, thread };
    const comment = thread.comments.find((one) => nodeId('PRRC', one.id) === id);
    if (comment) return { kind: 'reviewComment', repo, issue, thread, comment };
  }
  return null;
}

type Of<K extends Found['kind']> = Extract<Found, { kind: K }>;

/** The node of one of these kinds; NOT_FOUND for any other and for none. */
export function mustNode<K extends Found['kind']>(context: Context, id: string, kinds: readonly K[]): Of<K> {
  const found = findNode(context, id);
  const fits = (one: Found): one is Of<K> => kinds.some((kind) => kind === one.kind);
  if (!found || !fits(found)) throw unresolved(id);
  return found;
}
