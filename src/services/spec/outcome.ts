import type { Phase, SpecState } from './states.ts';

/** The spec's own events, as `GET /api/v1/specs/{id}/events` shows them; payloads in docs/events.md. */
export type SpecEventType =
  | 'spec.execution_started'
  | 'spec.phase_started'
  | 'spec.phase_completed'
  | 'spec.phase_failed'
  | 'spec.phase_retry'
  | 'spec.sync_started'
  | 'spec.sync_completed'
  | 'spec.execution_completed'
  | 'spec.branch_created'
  | 'spec.pr_created'
  | 'spec.held'
  | 'spec.resumed'
  | 'spec.merged'
  | 'spec.closed'
  | 'spec.failed'
  | 'spec.cancelled';

export interface SpecEvent {
  readonly type: SpecEventType;
  readonly phase: Phase | null;
  readonly attempt: number;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** What people are told in a comment of its own, because edits notify nobody. */
export type Notice =
  | 'not_started'
  | 'failed'
  | 'sandbox_lost'
  | 'held'
  | 'refused'
  | 'approve_publish'
  | 'pull_ready'
  | 'nothing_new'
  | 'pr_failed';

/** What has to be done outside the row, written in the same transaction. */
export type SpecCommand =
  | { readonly do: 'prepare' }
  | { readonly do: 'ensure_sandbox' }
  | { readonly do: 'close_sandbox'; readonly reason: string }
  | { readonly do: 'acknowledge' }
  | { readonly do: 'create_branch' }
  | { readonly do: 'publish_artifacts' }
  | { readonly do: 'inspect' }
  | { readonly do: 'move_branch'; readonly sha: string }
  | { readonly do: 'open_pull' }
  | { readonly do: 'notify'; readonly notice: Notice }
  | { readonly do: 'add_label'; readonly label: string }
  | { readonly do: 'remove_label'; readonly label: string }
  | { readonly do: 'delete_branch' }
  | { readonly do: 'delete_checkpoint' }
  | { readonly do: 'close_plan' };

/** Columns of the spec that change with the state. Undefined: as it was. */
export interface SpecPatch {
  readonly cause?: string | null;
  readonly baseBranch?: string;
  readonly baseSha?: string;
  readonly branchName?: string;
  readonly headSha?: string;
  readonly pullRequestNumber?: number;
  readonly pullRequestUrl?: string;
  readonly mergeSha?: string | null;
  /** Set to the database's now. */
  readonly stampMerged?: boolean;
  readonly stampPublishing?: boolean;
}

export interface Next {
  readonly kind: 'next';
  readonly state: SpecState;
  readonly patch: SpecPatch;
  readonly events: readonly SpecEvent[];
  readonly commands: readonly SpecCommand[];
}

/** Late, doubled or overtaken: nothing changes, and the reason is stored. */
export interface Obsolete {
  readonly kind: 'obsolete';
  readonly reason: string;
}

export type Outcome = Next | Obsolete;

export function obsolete(reason: string): Obsolete {
  return { kind: 'obsolete', reason };
}

/** Builds a `Next`, filling in what does not change. */
export function next(state: SpecState, rest: Partial<Omit<Next, 'kind' | 'state'>> = {}): Next {
  return { kind: 'next', state, patch: {}, events: [], commands: [], ...rest };
}
