/** The rules from the finished work to the end: what follows from each input. */
import { firstAttempt } from './attempts.ts';
import type { InputOf } from './inputs.ts';
import { next, type Outcome, obsolete, type SpecCommand } from './outcome.ts';
import {
  completed,
  enter,
  fail,
  isModelHold,
  PUBLISH_LABEL,
  pauseOf,
  phaseFailed,
  started,
  stateLabels,
  tidy,
} from './rule-parts.ts';
import type { SpecState } from './states.ts';

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

export function gatePassed(state: SpecState, input: InputOf<'gate_passed'>): Outcome {
  const { sha } = input;
  if (!input.needsApproval) return next(state, { commands: [{ do: 'move_branch', sha }] });
  if (state.hold?.reason === 'approval') return obsolete('the work waits for its approval already');
  // After a pause it is judged again, and waits then.
  if (state.hold !== null) return next(state);
  return next(
    { ...state, hold: { reason: 'approval', until: null, resumeTo: 'publishing', sha } },
    { commands: [{ do: 'notify', notice: 'approve_publish' }] },
  );
}

export function publishApproved(state: SpecState, { sha }: InputOf<'publish_approved'>): Outcome {
  if (state.hold?.reason !== 'approval') return obsolete('no finished work waits for an approval');
  if (state.hold.sha !== sha) return obsolete('another commit waits for its approval now');
  return next(
    { ...state, hold: null },
    {
      commands: [
        { do: 'move_branch', sha },
        { do: 'remove_label', label: PUBLISH_LABEL },
      ],
    },
  );
}

export function gateRefused(state: SpecState, input: InputOf<'gate_refused'>): Outcome {
  const cause = input.refusals.join('\n');
  const payload = { refusals: input.refusals };
  return fail(state, { cause, notice: 'refused', events: [phaseFailed(state, payload)] });
}

export function branchMoved(state: SpecState, input: InputOf<'branch_moved'>): Outcome {
  return next(state, { patch: { headSha: input.sha }, commands: [{ do: 'open_pull' }] });
}

export function pullOpened(state: SpecState, input: InputOf<'pull_opened'>): Outcome {
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

export function publishFailed(state: SpecState, { cause }: InputOf<'publish_failed'>): Outcome {
  return next(
    { ...state, status: 'pr_failed', hold: pauseOf(state, 'pr_failed') },
    {
      patch: { cause },
      events: [phaseFailed(state, { cause })],
      commands: [{ do: 'notify', notice: 'pr_failed' }],
    },
  );
}

export function pullMerged(state: SpecState, input: InputOf<'pull_merged'>): Outcome {
  return next(
    { ...state, status: 'merged', hold: null },
    {
      patch: {
        mergeSha: input.mergeSha,
        headSha: input.headSha,
        stampMerged: true,
        cause: null,
        ...(input.pull ? { pullRequestNumber: input.pull.number, pullRequestUrl: input.pull.url } : {}),
      },
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
export function pullClosed(state: SpecState, input: InputOf<'pull_closed'>): Outcome {
  const cause = `@${input.by} closed the pull request without merging it.`;
  return next(
    { ...state, status: 'closed', hold: null },
    {
      patch: { cause },
      events: [{ type: 'spec.closed', phase: null, attempt: state.round, payload: { cause, by: input.by } }],
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

export function pullUpdated(state: SpecState, input: InputOf<'pull_updated'>): Outcome {
  return next(state, { patch: { headSha: input.headSha } });
}

/** A branch that was never moved holds nothing and goes; one with commits stays. */
export function cancelled(state: SpecState, { cause, by }: InputOf<'cancelled'>): Outcome {
  const unpublished: SpecCommand[] = state.phase === 'publish' ? [] : [{ do: 'delete_branch' }];
  return next(
    { ...state, status: 'cancelled', hold: null },
    {
      patch: { cause },
      events: [{ type: 'spec.cancelled', phase: state.phase, attempt: state.round, payload: { cause, by } }],
      commands: [...tidy, ...unpublished],
    },
  );
}

export function labelRemoved(state: SpecState, { label, by }: InputOf<'label_removed'>): Outcome {
  // It is how people say "go on" once they have seen to what holds the spec.
  if (isModelHold(state.hold)) return obsolete('taking the label away is the first half of going on');
  return cancelled(state, { type: 'cancelled', cause: `@${by} removed the label \`${label}\`.`, by });
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
