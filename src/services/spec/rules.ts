/** The rules from the request to the finished work: what follows from each input. */
import { MOST_LOSSES } from '../sandboxes/losses.ts';
import { attemptInRound, firstAttempt } from './attempts.ts';
import type { InputOf } from './inputs.ts';
import { type Next, next, type Obsolete, type Outcome, obsolete, type SpecCommand } from './outcome.ts';
import {
  completed,
  enter,
  fail,
  isModelHold,
  pauseOf,
  phaseFailed,
  started,
  stateLabels,
} from './rule-parts.ts';
import { type Hold, type Phase, phases, type SpecState, type Status } from './states.ts';

function mismatch(state: SpecState, input: { phase: Phase; attempt: number }): Obsolete | null {
  if (state.phase === input.phase && state.attempt === input.attempt) return null;
  return obsolete(
    `${input.phase} attempt ${input.attempt} is over: the spec is at ${state.phase} attempt ${state.attempt}`,
  );
}

/** Starts the first phase, or the one that failed in the round before: what planning gave is kept. */
export function prepared(state: SpecState, input: InputOf<'prepared'>): Outcome {
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

export function preflightFailed(state: SpecState, { cause }: InputOf<'preflight_failed'>): Outcome {
  return fail(state, { cause, notice: 'not_started' });
}

export function phaseAccepted(state: SpecState, input: InputOf<'phase_accepted'>): Outcome {
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

export function phaseRejected(state: SpecState, input: InputOf<'phase_rejected'>): Outcome {
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

export function branchCreated(state: SpecState, input: InputOf<'branch_created'>): Outcome {
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

export function taskFailed(state: SpecState, input: InputOf<'task_failed'>): Outcome {
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

export function verified(state: SpecState, input: InputOf<'verified'>): Outcome {
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

export function verifyFailed(state: SpecState, input: InputOf<'verify_failed'>): Outcome {
  if (state.phase !== 'verify') return obsolete('verification was over before');
  const payload = { reason: input.reason };
  if (attemptInRound(state) >= input.attemptsPerRound) {
    const cause = `Verification failed ${input.attemptsPerRound} times: ${input.reason}`;
    return fail(state, { cause, events: [phaseFailed(state, payload)] });
  }
  return retryPhase(state, payload);
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

export function sandboxLost(state: SpecState, input: InputOf<'sandbox_lost'>): Outcome {
  if (input.exhausted) {
    const cause = `The sandbox was lost more than ${MOST_LOSSES} times within an hour, the last time because ${input.reason}.`;
    return fail(state, { cause, notice: 'sandbox_lost' });
  }
  return next(state, { commands: [{ do: 'ensure_sandbox' }] });
}

export function sandboxRefused(state: SpecState, { cause }: InputOf<'sandbox_refused'>): Outcome {
  // A credential or a program may go while the work is well under way.
  const atStart = state.phase === null || state.phase === 'explore';
  return fail(state, { cause, notice: atStart ? 'not_started' : 'failed' });
}

/** The work waits where it stands: what was committed is kept, and the sandbox goes. */
export function held(state: SpecState, input: InputOf<'held'>): Outcome {
  if (state.hold !== null) return obsolete(`the spec is held already (${state.hold.reason})`);
  const { reason, until, cause, nth } = input;
  const payload = { reason, until, cause };
  return next(
    { ...state, hold: { reason, until, resumeTo: state.status, nth } },
    {
      patch: { cause },
      events: [{ type: 'spec.held', phase: state.phase, attempt: nth, payload }],
      commands: [
        { do: 'close_sandbox', reason: 'held' },
        // What goes on by itself needs nobody, and the status comment says when.
        ...(until === null ? [{ do: 'notify', notice: 'held' } as const] : []),
      ],
    },
  );
}

export function resumed(state: SpecState, { by }: InputOf<'resumed'>): Outcome {
  const { hold } = state;
  if (!isModelHold(hold)) return obsolete('the spec is not held for want of a model');
  return next(
    { ...state, hold: null },
    {
      patch: { cause: null },
      events: [{ type: 'spec.resumed', phase: state.phase, attempt: hold?.nth ?? 1, payload: { by } }],
      commands: [{ do: 'ensure_sandbox' }],
    },
  );
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
