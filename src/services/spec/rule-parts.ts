/** What the rules of the state machine are built from. */
import { firstAttempt } from './attempts.ts';
import { type Next, type Notice, next, type SpecCommand, type SpecEvent } from './outcome.ts';
import type { Hold, Phase, SpecState, Status } from './states.ts';

/** Labels that show a spec's state on its issue. */
export const stateLabels = { inReview: 'spec:in-review', failed: 'spec:failed' } as const;

/** The label by which a person lets finished work be published. */
export const PUBLISH_LABEL = 'spec:publish';

export function started(phase: Phase, attempt: number): SpecEvent[] {
  const events: SpecEvent[] = [{ type: 'spec.phase_started', phase, attempt, payload: {} }];
  if (phase === 'sync') events.push({ type: 'spec.sync_started', phase, attempt, payload: {} });
  return events;
}

export function completed(phase: Phase, attempt: number, payload: Record<string, unknown> = {}): SpecEvent[] {
  const events: SpecEvent[] = [{ type: 'spec.phase_completed', phase, attempt, payload }];
  if (phase === 'sync') events.push({ type: 'spec.sync_completed', phase, attempt, payload });
  return events;
}

/** A pause outlives whatever is learned meanwhile; every other hold ends with the step that it held up. */
export function pauseOf(state: SpecState, resumeTo: Status): Hold | null {
  return state.hold?.reason === 'paused' ? { ...state.hold, resumeTo } : null;
}

/** Whether a spec waits because no model can be asked. */
export function isModelHold(hold: Hold | null): boolean {
  return hold?.reason === 'budget' || hold?.reason === 'quota';
}

export function enter(state: SpecState, status: Status, phase: Phase): SpecState {
  return { ...state, status, phase, attempt: firstAttempt(state), hold: pauseOf(state, status) };
}

interface Failure {
  readonly cause: string;
  readonly notice?: Notice;
  readonly events?: readonly SpecEvent[];
}

/** Ends a spec that can't go on: the cause is shown and somebody is told. */
export function fail(state: SpecState, { cause, notice = 'failed', events = [] }: Failure): Next {
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

export function phaseFailed(state: SpecState, payload: Record<string, unknown>): SpecEvent {
  return { type: 'spec.phase_failed', phase: state.phase, attempt: state.attempt, payload };
}

/** What every end for good does. */
export const tidy: readonly SpecCommand[] = [
  { do: 'close_sandbox', reason: 'ended' },
  { do: 'close_plan' },
  { do: 'delete_checkpoint' },
  { do: 'remove_label', label: stateLabels.inReview },
  { do: 'remove_label', label: stateLabels.failed },
];
