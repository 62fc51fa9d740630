import type { PlanningPhase } from './states.ts';

/** What can happen to a spec. Facts only: what follows from them is decided by `transition`. */
export type SpecInput =
  | { readonly type: 'prepared'; readonly baseBranch: string; readonly baseSha: string }
  | { readonly type: 'preflight_failed'; readonly cause: string }
  | {
      readonly type: 'phase_accepted';
      readonly phase: PlanningPhase;
      readonly attempt: number;
      readonly hash: string;
      readonly needsApproval: boolean;
    }
  | {
      readonly type: 'phase_rejected';
      readonly phase: PlanningPhase;
      readonly attempt: number;
      readonly failures: readonly string[];
      readonly attemptsPerRound: number;
    }
  | { readonly type: 'branch_created'; readonly name: string; readonly sha: string }
  | { readonly type: 'approved'; readonly hash: string; readonly by: string }
  | { readonly type: 'progressed' }
  | {
      readonly type: 'task_failed';
      readonly task: string;
      readonly taskAttempt: number;
      readonly reason: string;
      readonly attemptsPerRound: number;
    }
  | { readonly type: 'tasks_done' }
  | { readonly type: 'verified'; readonly command: string | null }
  | { readonly type: 'verify_failed'; readonly reason: string; readonly attemptsPerRound: number }
  | { readonly type: 'nothing_new' }
  | { readonly type: 'gate_passed'; readonly sha: string; readonly needsApproval: boolean }
  /** A person who may write lets exactly this commit be published. */
  | { readonly type: 'publish_approved'; readonly sha: string; readonly by: string }
  | { readonly type: 'gate_refused'; readonly refusals: readonly string[] }
  | { readonly type: 'branch_moved'; readonly sha: string }
  | { readonly type: 'pull_opened'; readonly number: number; readonly url: string; readonly headSha: string }
  | { readonly type: 'publish_failed'; readonly cause: string }
  | {
      readonly type: 'pull_merged';
      readonly mergeSha: string | null;
      readonly headSha: string;
      readonly by: string;
      /** Where the merge may be the first that is heard of the pull request. */
      readonly pull?: { readonly number: number; readonly url: string };
    }
  | { readonly type: 'pull_closed'; readonly by: string }
  | { readonly type: 'pull_reopened'; readonly by: string }
  | { readonly type: 'pull_updated'; readonly headSha: string }
  | { readonly type: 'cancelled'; readonly cause: string; readonly by: string }
  | { readonly type: 'label_removed'; readonly label: string; readonly by: string }
  | { readonly type: 'retried'; readonly by: string }
  | { readonly type: 'sandbox_lost'; readonly reason: string; readonly exhausted: boolean }
  | { readonly type: 'sandbox_refused'; readonly cause: string }
  | {
      /** A model can't be asked now; `cause` is a sentence for people. */
      readonly type: 'held';
      readonly reason: 'budget' | 'quota';
      readonly until: string | null;
      readonly cause: string;
      readonly nth: number;
    }
  /** The time of a hold has come, or a person has seen to its cause. */
  | { readonly type: 'resumed'; readonly by: string | null }
  | { readonly type: 'suspended' }
  | { readonly type: 'unsuspended' };

export type InputType = SpecInput['type'];

/** The input of one type. */
export type InputOf<T extends InputType> = Extract<SpecInput, { type: T }>;

export const inputTypes: readonly InputType[] = [
  'prepared',
  'preflight_failed',
  'phase_accepted',
  'phase_rejected',
  'branch_created',
  'approved',
  'progressed',
  'task_failed',
  'tasks_done',
  'verified',
  'verify_failed',
  'nothing_new',
  'gate_passed',
  'publish_approved',
  'gate_refused',
  'branch_moved',
  'pull_opened',
  'publish_failed',
  'pull_merged',
  'pull_closed',
  'pull_reopened',
  'pull_updated',
  'cancelled',
  'label_removed',
  'retried',
  'sandbox_lost',
  'sandbox_refused',
  'held',
  'resumed',
  'suspended',
  'unsuspended',
];
