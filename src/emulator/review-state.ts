import type { Reaction } from './state.ts';

export type ReviewVerdict = 'APPROVED' | 'CHANGES_REQUESTED' | 'COMMENTED' | 'DISMISSED';

export interface Review {
  readonly id: number;
  readonly userId: number;
  readonly appId: number | null;
  /** The head when it was written. */
  readonly commitId: string;
  readonly submittedAt: Date;
  readonly body: string;
  state: ReviewVerdict;
}

export type Side = 'LEFT' | 'RIGHT';

/** Where in a pull request's diff a thread hangs. */
export interface Place {
  readonly path: string;
  readonly side: Side;
  /** Null for a thread on a whole file. */
  readonly line: number | null;
  readonly startLine: number | null;
  readonly startSide: Side | null;
}

export interface ReviewComment {
  readonly id: number;
  readonly reviewId: number;
  readonly userId: number;
  readonly appId: number | null;
  readonly inReplyToId: number | null;
  readonly createdAt: Date;
  readonly reactions: Reaction[];
  body: string;
  updatedAt: Date;
  minimized: string | null;
}

export interface ReviewThread extends Place {
  readonly id: number;
  /** The head when it was begun. */
  readonly commitId: string;
  readonly diffHunk: string;
  /** Lines from the first hunk of the file's diff. */
  readonly position: number;
  readonly comments: ReviewComment[];
  resolvedById: number | null;
}

export interface AutoMerge {
  readonly enabledById: number;
  readonly enabledAt: Date;
  readonly method: 'merge' | 'squash' | 'rebase';
  readonly title: string | undefined;
  readonly message: string | undefined;
}

export type CheckStatus = 'queued' | 'in_progress' | 'completed';

export interface CheckRun {
  readonly id: number;
  readonly appId: number;
  /** Runs of one App on one commit share a suite. */
  readonly suiteId: number;
  readonly headSha: string;
  name: string;
  status: CheckStatus;
  conclusion: string | null;
  externalId: string | null;
  detailsUrl: string | null;
  startedAt: Date;
  completedAt: Date | null;
  output: { title: string | null; summary: string | null; text: string | null; annotations: number };
}

export interface CommitStatus {
  readonly id: number;
  readonly sha: string;
  readonly creatorId: number;
  readonly state: 'error' | 'failure' | 'pending' | 'success';
  readonly context: string;
  readonly description: string | null;
  readonly targetUrl: string | null;
  readonly createdAt: Date;
}
