import type { SpecInput } from './inputs.ts';
import {
  type Next,
  type Notice,
  next,
  type Obsolete,
  type Outcome,
  obsolete,
  type SpecCommand,
  type SpecEvent,
} from './outcome.ts';
import { type Hold, type Phase, phases, type SpecState, type Status } from './states.ts';

type Of<T extends SpecInput['type']> = Extract<SpecInput, { type: T }>;

/** Labels that show a spec's state on its issue. */
export const stateLabels = { inReview: 'spec:in-review', failed: 'spec:failed' } as const;

function started(phase: Phase, attempt: number): SpecEvent[] {
  const events: SpecEvent[] = [{ type: 'spec.phase_started', phase, attempt, payload: {} }];
  if (phase === 'sync') events.push({ type: 'spec.sync_started', phase, attempt, payload: {} });
  return events;
}

function completed(phase: Phase, attempt: number, payload: Record<string, unknown> = {}): SpecEvent[] {
  const events: SpecEvent[] = [{ type: 'spec.phase_completed', phase, attempt, payload }];
  if (phase === 'sync') events.push({ type: 'spec.sync_completed', phase, attempt, payload });
  return events;
}

/** The first attempt number of a phase in a round; numbers are never used twice, so events stay unique. */
function firstAttempt({ round }: Pick<SpecState, 'round'>): number {
  return (round - 1) * ATTEMPT_STRIDE + 1;
}

/** Room for attempts in one round: 200 tasks with 5 attempts each, the most that settings allow, need 801. */
const ATTEMPT_STRIDE = 1000;

/** 1 for the first attempt of a phase in its round. */
export function attemptInRound({ attempt }: Pick<SpecState, 'attempt'>): number {
  return ((attempt - 1) % ATTEMPT_STRIDE) + 1;
}

/** A pause outlives whatever is learned meanwhile; every other hold ends with the step that it held up. */
function pauseOf(state: SpecState, resumeTo: Status): Hold | null {
  return state.hold?.reason === 'paused' ? { ...state.hold, resumeTo } : null;
}

function enter(state: SpecState, status: Status, phase: Phase): SpecState {
  return { ...state, status, phase, attempt: firstAttempt(state), hold: pauseOf(state, status) };
}

interface Failure {
  readonly cause: string;
  readonly notice?: Notice;
  readonly events?: readonly SpecEvent[];
}

/** Ends a spec that can't go on: the cause is shown and somebody is told. */
function fail(state: SpecState, { cause, notice = 'failed', events = [] }: Failure): Next {
  return next(
    { ...state, status: 'failed', hold: null },
    {
      patch: { cause },
      events: [
        ...events,
        { type: 'spec.failed', phase: state.phase, attempt: state.round, payload: { cause } },
      ],
      commands: [
        { do: 'close_sandbox', reason: 'failed' },
        { do: 'notify', notice },
        { do: 'add_label', label: stateLabels.failed },
      ],
    },
  );
}

function phaseFailed(state: SpecState, payload: Record<string, unknown>): SpecEvent {
  return { type: 'spec.phase_failed', phase: state.phase, attempt: state.attempt, payload };
}

function mismatch(state: SpecState, input: { phase: Phase; attempt: number }): Obsolete | null {
  if (state.phase === input.phase && state.attempt === input.attempt) return null;
  return obsolete(
    `${input.phase} attempt ${input.attempt} is over: the spec is at ${state.phase} attempt ${state.attempt}`,
  );
}

/** Starts the first phase, or the one that failed in the round before: what planning gave is kept. */
export function prepared(state: SpecState, input: Of<'prepared'>): Outcome {
  const phase = state.phase === 'publish' ? 'verify' : (state.phase ?? 'explore');
  const status = phases.indexOf(phase) < phases.indexOf('execute') ? 'planning' : 'executing';
  const target = enter(state, status, phase);
  const base = state.phase === null ? { baseBranch: input.baseBranch, baseSha: input.baseSha } : {};
  return next(target, {
    patch: { ...base, cause: null },
    events: [
      {
        type: 'spec.execution_started',
        phase: null,
        attempt: state.round,
        payload: { baseSha: input.baseSha },
      },
      ...started(phase, target.attempt),
    ],
    commands: [{ do: 'ensure_sandbox' }, { do: 'create_branch' }],
  });
}

export function preflightFailed(state: SpecState, { cause }: Of<'preflight_failed'>): Outcome {
  return fail(state, { cause, notice: 'not_started' });
}

export function phaseAccepted(state: SpecState, input: Of<'phase_accepted'>): Outcome {
  const late = mismatch(state, input);
  if (late) return late;
  const done = completed(input.phase, input.attempt, { hash: input.hash });
  if (input.phase !== 'sync') {
    const following = enter(state, 'planning', phases[phases.indexOf(input.phase) + 1]!);
    return next(following, { events: [...done, ...started(following.phase!, following.attempt)] });
  }
  if (input.needsApproval) {
    const waiting: SpecState = {
      ...state,
      status: 'awaiting_approval',
      hold: pauseOf(state, 'awaiting_approval') ?? approval,
    };
    return next(waiting, {
      events: done,
      commands: [{ do: 'publish_artifacts' }, { do: 'close_sandbox', reason: 'awaiting_approval' }],
    });
  }
  const executing = enter(state, 'executing', 'execute');
  return next(executing, {
    events: [...done, ...started('execute', executing.attempt)],
    commands: [{ do: 'publish_artifacts' }],
  });
}

const approval: Hold = { reason: 'approval', until: null, resumeTo: 'executing' };

export function phaseRejected(state: SpecState, input: Of<'phase_rejected'>): Outcome {
  const late = mismatch(state, input);
  if (late) return late;
  const payload = { failures: input.failures };
  if (attemptInRound(state) >= input.attemptsPerRound) {
    const cause = `The ${input.phase} phase failed ${input.attemptsPerRound} times: ${input.failures.join(' ')}`;
    return fail(state, { cause, events: [phaseFailed(state, payload)] });
  }
  return retryPhase(state, payload);
}

/** Same phase, next attempt. */
function retryPhase(state: SpecState, payload: Record<string, unknown>): Next {
  const again = { ...state, attempt: state.attempt + 1 };
  return next(again, {
    events: [
      { type: 'spec.phase_retry', phase: state.phase, attempt: state.attempt, payload },
      ...started(state.phase!, again.attempt),
    ],
  });
}

export function branchCreated(state: SpecState, input: Of<'branch_created'>): Outcome {
  const payload = { name: input.name, sha: input.sha };
  return next(state, {
    patch: { branchName: input.name },
    events: [{ type: 'spec.branch_created', phase: null, attempt: 1, payload }],
  });
}

export function approved(state: SpecState): Outcome {
  const executing = enter(state, 'executing', 'execute');
  return next(executing, {
    events: started('execute', executing.attempt),
    commands: [{ do: 'ensure_sandbox' }],
  });
}

export function progressed(state: SpecState): Outcome {
  return next(state);
}

export function taskFailed(state: SpecState, input: Of<'task_failed'>): Outcome {
  if (state.phase !== 'execute') return obsolete(`task ${input.task} belongs to a phase that is over`);
  const payload = { task: input.task, reason: input.reason };
  if (input.taskAttempt >= input.attemptsPerRound) {
    const cause = `Task ${input.task} failed ${input.taskAttempt} times, last: ${input.reason}`;
    return fail(state, { cause, events: [phaseFailed(state, payload)] });
  }
  return retryPhase(state, payload);
}

export function tasksDone(state: SpecState): Outcome {
  if (state.phase !== 'execute') return obsolete('the tasks were done before');
  const verifying = enter(state, 'executing', 'verify');
  return next(verifying, {
    events: [...completed('execute', state.attempt), ...started('verify', verifying.attempt)],
  });
}

export function verified(state: SpecState, input: Of<'verified'>): Outcome {
  if (state.phase !== 'verify') return obsolete('verification was over before');
  const publishing = enter(state, 'publishing', 'publish');
  return next(publishing, {
    patch: { stampPublishing: true },
    events: [
      ...completed('verify', state.attempt, { command: input.command }),
      { type: 'spec.execution_completed', phase: null, attempt: state.round, payload: {} },
      ...started('publish', publishing.attempt),
    ],
    commands: [{ do: 'close_sandbox', reason: 'done' }, { do: 'inspect' }],
  });
}

export function verifyFailed(state: SpecState, input: Of<'verify_failed'>): Outcome {
  if (state.phase !== 'verify') return obsolete('verification was over before');
  const payload = { reason: input.reason };
  if (attemptInRound(state) >= input.attemptsPerRound) {
    const cause = `Verification failed ${input.attemptsPerRound} times: ${input.reason}`;
    return fail(state, { cause, events: [phaseFailed(state, payload)] });
  }
  return retryPhase(state, payload);
}

export function nothingNew(state: SpecState): Outcome {
  const cause = 'Nothing to change: the work left the repository as it is, so there is no pull request.';
  return next(
    { ...state, status: 'closed', hold: null },
    {
      patch: { cause },
      events: [{ type: 'spec.closed', phase: 'publish', attempt: state.round, payload: { cause } }],
      commands: [
        { do: 'notify', notice: 'nothing_new' },
        { do: 'close_plan' },
        { do: 'delete_checkpoint' },
        { do: 'delete_branch' },
      ],
    },
  );
}

export function gatePassed(state: SpecState, input: Of<'gate_passed'>): Outcome {
  return next(state, { commands: [{ do: 'move_branch', sha: input.sha }] });
}

export function gateRefused(state: SpecState, input: Of<'gate_refused'>): Outcome {
  const cause = input.refusals.join('\n');
  const payload = { refusals: input.refusals };
  return fail(state, { cause, notice: 'refused', events: [phaseFailed(state, payload)] });
}

export function branchMoved(state: SpecState, input: Of<'branch_moved'>): Outcome {
  return next(state, { patch: { headSha: input.sha }, commands: [{ do: 'open_pull' }] });
}

export function pullOpened(state: SpecState, input: Of<'pull_opened'>): Outcome {
  return next(
    { ...state, status: 'in_review', hold: pauseOf(state, 'in_review') },
    {
      patch: {
        pullRequestNumber: input.number,
        pullRequestUrl: input.url,
        headSha: input.headSha,
        cause: null,
      },
      events: [
        ...completed('publish', state.attempt, { number: input.number }),
        {
          type: 'spec.pr_created',
          phase: null,
          attempt: state.round,
          payload: { number: input.number, url: input.url, headSha: input.headSha },
        },
      ],
      commands: [
        { do: 'notify', notice: 'pull_ready' },
        { do: 'add_label', label: stateLabels.inReview },
      ],
    },
  );
}

export function publishFailed(state: SpecState, { cause }: Of<'publish_failed'>): Outcome {
  return next(
    { ...state, status: 'pr_failed', hold: pauseOf(state, 'pr_failed') },
    {
      patch: { cause },
      events: [phaseFailed(state, { cause })],
      commands: [{ do: 'notify', notice: 'pr_failed' }],
    },
  );
}

const tidy: readonly SpecCommand[] = [
  { do: 'close_sandbox', reason: 'ended' },
  { do: 'close_plan' },
  { do: 'delete_checkpoint' },
  { do: 'remove_label', label: stateLabels.inReview },
  { do: 'remove_label', label: stateLabels.failed },
];

export function pullMerged(state: SpecState, input: Of<'pull_merged'>): Outcome {
  return next(
    { ...state, status: 'merged', hold: null },
    {
      patch: { mergeSha: input.mergeSha, headSha: input.headSha, stampMerged: true, cause: null },
      events: [
        {
          type: 'spec.merged',
          phase: null,
          attempt: state.round,
          payload: { mergeSha: input.mergeSha, by: input.by },
        },
      ],
      commands: [...tidy, { do: 'delete_branch' }],
    },
  );
}

/** The branch stays, so that the pull request can be reopened. */
export function pullClosed(state: SpecState, input: Of<'pull_closed'>): Outcome {
  const cause = `@${input.by} closed the pull request without merging it.`;
  return next(
    { ...state, status: 'closed', hold: null },
    {
      patch: { cause },
      events: [
        { type: 'spec.closed', phase: null, attempt: state.round, payload: { cause, by: input.by } },
      ],
      commands: tidy,
    },
  );
}

export function pullReopened(state: SpecState): Outcome {
  const round = state.round + 1;
  return next(
    { ...state, status: 'in_review', round, attempt: firstAttempt({ round }) },
    { patch: { cause: null }, commands: [{ do: 'add_label', label: stateLabels.inReview }] },
  );
}

export function pullUpdated(state: SpecState, input: Of<'pull_updated'>): Outcome {
  return next(state, { patch: { headSha: input.headSha } });
}

/** A branch that was never moved holds nothing and goes; one with commits stays. */
export function cancelled(state: SpecState, { cause, by }: Of<'cancelled'>): Outcome {
  const unpublished: SpecCommand[] = state.phase === 'publish' ? [] : [{ do: 'delete_branch' }];
  return next(
    { ...state, status: 'cancelled', hold: null },
    {
      patch: { cause },
      events: [
        { type: 'spec.cancelled', phase: state.phase, attempt: state.round, payload: { cause, by } },
      ],
      commands: [...tidy, ...unpublished],
    },
  );
}

export function labelRemoved(state: SpecState, { label, by }: Of<'label_removed'>): Outcome {
  return cancelled(state, { type: 'cancelled', cause: `@${by} removed the label \`${label}\`.`, by });
}

/** A person asks again after a failure: planning that was accepted is kept, the failed phase starts anew. */
export function retried(state: SpecState): Outcome {
  const round = state.round + 1;
  return next(
    { ...state, status: 'queued', round, attempt: firstAttempt({ round }), hold: null },
    {
      patch: { cause: null },
      commands: [{ do: 'prepare' }, { do: 'remove_label', label: stateLabels.failed }],
    },
  );
}

/** The work is done and checked: only publishing is tried again. */
export function retriedPublishing(state: SpecState): Outcome {
  const again = enter({ ...state, round: state.round + 1 }, 'publishing', 'publish');
  return next(again, {
    patch: { cause: null, stampPublishing: true },
    events: started('publish', again.attempt),
    commands: [{ do: 'inspect' }],
  });
}

export function sandboxLost(state: SpecState, input: Of<'sandbox_lost'>): Outcome {
  if (input.exhausted)
    return fail(state, { cause: `The sandbox was lost too often, last: ${input.reason}` });
  return next(state, { commands: [{ do: 'ensure_sandbox' }] });
}

export function sandboxRefused(state: SpecState, { cause }: Of<'sandbox_refused'>): Outcome {
  return fail(state, { cause, notice: 'not_started' });
}

export function suspended(state: SpecState): Outcome {
  if (state.hold?.reason === 'paused') return obsolete('the spec is paused already');
  return next(
    { ...state, hold: { reason: 'paused', until: null, resumeTo: state.status } },
    { commands: [{ do: 'close_sandbox', reason: 'paused' }] },
  );
}

/** Goes on where the spec stood; each job looks first whether its work is done. */
export function unsuspended(state: SpecState): Outcome {
  if (state.hold?.reason !== 'paused') return obsolete('the spec is not paused');
  const command = resumption[state.status];
  const hold = state.status === 'awaiting_approval' ? approval : null;
  return next({ ...state, hold }, { commands: command ? [command] : [] });
}

const resumption: Readonly<Partial<Record<Status, SpecCommand>>> = {
  queued: { do: 'prepare' },
  planning: { do: 'ensure_sandbox' },
  executing: { do: 'ensure_sandbox' },
  publishing: { do: 'inspect' },
};
