/** Everything a spec can be. */
export const statuses = [
  'queued',
  'planning',
  'awaiting_approval',
  'executing',
  'publishing',
  'pr_failed',
  'in_review',
  'merged',
  'closed',
  'failed',
  'cancelled',
] as const;
export type Status = (typeof statuses)[number];

const ended: ReadonlySet<Status> = new Set(['merged', 'closed', 'failed', 'cancelled']);

/** A live spec still moves, or waits for somebody; at most one an issue. */
export function isLive(status: Status): boolean {
  return !ended.has(status);
}

export type PlanningPhase = 'explore' | 'requirements' | 'design' | 'tasks' | 'sync';
export type Phase = PlanningPhase | 'execute' | 'verify' | 'publish';

/** The phases in the order in which a spec goes through them. */
export const phases: readonly Phase[] = [
  'explore',
  'requirements',
  'design',
  'tasks',
  'sync',
  'execute',
  'verify',
  'publish',
];

/** Why a live spec does not move. `until` is an ISO 8601 time, or null where a person has to act. */
export interface Hold {
  readonly reason: 'approval' | 'answer' | 'quota' | 'budget' | 'taken over' | 'paused';
  readonly until: string | null;
  readonly resumeTo: Status;
  /** Which of the spec's holds it is, from 1; where one can follow another within an attempt. */
  readonly nth?: number;
  /** The commit that an approval of finished work is about. */
  readonly sha?: string;
}

/** What `transition` decides over. `round` counts retries by people; attempts go on counting over rounds. */
export interface SpecState {
  readonly status: Status;
  readonly phase: Phase | null;
  readonly attempt: number;
  readonly round: number;
  readonly hold: Hold | null;
}
