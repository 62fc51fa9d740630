import { describe, expect, test } from '@jest/globals';
import { inputTypes, type SpecInput } from '../../src/services/spec/inputs.ts';
import { transition } from '../../src/services/spec/machine.ts';
import { type SpecState, statuses } from '../../src/services/spec/states.ts';
import { FIRST, sampleInputs } from '../harness/spec-states.ts';

function follow(state: SpecState, ...inputs: readonly SpecInput[]): SpecState {
  return inputs.reduce((at, input) => {
    const outcome = transition(at, input);
    if (outcome.kind === 'obsolete') throw new Error(`${at.status} ${input.type}: ${outcome.reason}`);
    return outcome.state;
  }, state);
}

const at = (over: Partial<SpecState>): SpecState => ({ ...FIRST, ...over });

describe('attempts', () => {
  const rejected = (attempt: number): SpecInput => ({
    type: 'phase_rejected',
    phase: 'design',
    attempt,
    failures: ['no'],
    attemptsPerRound: 3,
  });

  test('a phase is tried three times, then the spec fails', () => {
    const design = at({ status: 'planning', phase: 'design' });
    expect(follow(design, rejected(1), rejected(2))).toMatchObject({ status: 'planning', attempt: 3 });
    expect(follow(design, rejected(1), rejected(2), rejected(3)).status).toBe('failed');
  });

  test('the answer of an attempt that is over changes nothing', () => {
    const design = follow(at({ status: 'planning', phase: 'design' }), rejected(1));
    expect(transition(design, rejected(1))).toEqual({
      kind: 'obsolete',
      reason: 'design attempt 1 is over: the spec is at design attempt 2',
    });
  });

  test('a retry by a person gives the failed phase all its attempts again, under new numbers', () => {
    const failed = follow(at({ status: 'planning', phase: 'design' }), rejected(1), rejected(2), rejected(3));
    const again = follow(
      failed,
      { type: 'retried', by: 'mona' },
      { type: 'prepared', baseBranch: 'main', baseSha: 'b' },
    );
    expect(again).toMatchObject({ status: 'planning', phase: 'design', round: 2, attempt: 1001 });
    expect(follow(again, rejected(1001), rejected(1002)).status).toBe('planning');
    expect(follow(again, rejected(1001), rejected(1002), rejected(1003)).status).toBe('failed');
  });

  test('the most retries that settings allow stay in their round', () => {
    let state = at({ status: 'executing', phase: 'execute' });
    const task = { type: 'task_failed', task: 'TSK-001', reason: 'no', attemptsPerRound: 5 } as const;
    for (let n = 0; n < 200 * 4; n += 1) state = follow(state, { ...task, taskAttempt: (n % 4) + 1 });
    expect(state.attempt).toBeLessThan(1001);
  });
});

describe('finished work that needs an approval', () => {
  const publishing = at({ status: 'publishing', phase: 'publish' });
  const passed = (needsApproval: boolean): SpecInput => ({ type: 'gate_passed', sha: 'a', needsApproval });
  const approved = (sha: string): SpecInput => ({ type: 'publish_approved', sha, by: 'mona' });
  const commandsOf = (state: SpecState, input: SpecInput) => {
    const outcome = transition(state, input);
    return outcome.kind === 'next' ? outcome.commands : outcome.reason;
  };

  test('waits for it, and is published only as the commit that was shown', () => {
    expect(commandsOf(publishing, passed(false))).toEqual([{ do: 'move_branch', sha: 'a' }]);
    expect(commandsOf(publishing, passed(true))).toEqual([{ do: 'notify', notice: 'approve_publish' }]);
    const waiting = follow(publishing, passed(true));
    expect(waiting.hold).toEqual({ reason: 'approval', until: null, resumeTo: 'publishing', sha: 'a' });
    expect(commandsOf(waiting, passed(true))).toBe('the work waits for its approval already');
    expect(commandsOf(waiting, approved('b'))).toBe('another commit waits for its approval now');
    expect(commandsOf(publishing, approved('a'))).toBe('no finished work waits for an approval');
    expect(commandsOf(waiting, approved('a'))).toEqual([
      { do: 'move_branch', sha: 'a' },
      { do: 'remove_label', label: 'spec:publish' },
    ]);
    expect(follow(waiting, approved('a')).hold).toBeNull();
  });

  test('is judged again after a pause, and waits then', () => {
    const paused = follow(publishing, passed(true), { type: 'suspended' });
    expect(commandsOf(paused, approved('a'))).toBe('no finished work waits for an approval');
    expect(commandsOf(paused, passed(true))).toEqual([]);
    expect(commandsOf(paused, { type: 'unsuspended' })).toEqual([{ do: 'inspect' }]);
    expect(follow(paused, { type: 'unsuspended' }, passed(true)).hold?.reason).toBe('approval');
  });

  test('can be thrown away while it waits', () => {
    const waiting = follow(publishing, passed(true));
    expect(follow(waiting, { type: 'label_removed', label: 'spec', by: 'mona' }).status).toBe('cancelled');
  });
});

describe('a retry', () => {
  const retried: SpecInput = { type: 'retried', by: 'mona' };
  const prepared: SpecInput = { type: 'prepared', baseBranch: 'main', baseSha: 'b' };

  test.each([
    [null, 'planning', 'explore'],
    ['explore', 'planning', 'explore'],
    ['sync', 'planning', 'sync'],
    ['execute', 'executing', 'execute'],
    ['verify', 'executing', 'verify'],
    ['publish', 'executing', 'verify'],
  ] as const)('of a spec that failed in %s goes on %s in %s', (phase, status, goesOn) => {
    const again = follow(at({ status: 'failed', phase, attempt: 3 }), retried, prepared);
    expect(again).toEqual({ status, phase: goesOn, round: 2, attempt: 1001, hold: null });
  });

  test('keeps the base of the first round, and takes one where none was found before', () => {
    const patchOf = (phase: SpecState['phase']) => {
      const outcome = transition(follow(at({ status: 'failed', phase }), retried), prepared);
      return outcome.kind === 'next' ? outcome.patch : null;
    };
    expect(patchOf('design')).toEqual({ cause: null });
    expect(patchOf(null)).toEqual({ baseBranch: 'main', baseSha: 'b', cause: null });
  });

  test('of publishing looks at the work again and may open its pull request again', () => {
    const failed = at({ status: 'pr_failed', phase: 'publish' });
    const outcome = transition(failed, retried);
    expect(outcome).toMatchObject({
      kind: 'next',
      state: { status: 'publishing', phase: 'publish', round: 2, attempt: 1001 },
      commands: [{ do: 'inspect' }],
    });
  });
});

describe('the label', () => {
  const removed: SpecInput = { type: 'label_removed', label: 'spec', by: 'mona' };

  test('taken away cancels a live spec and says who did it', () => {
    const outcome = transition(at({ status: 'executing', phase: 'execute' }), removed);
    expect(outcome).toMatchObject({
      state: { status: 'cancelled' },
      patch: { cause: '@mona removed the label `spec`.' },
    });
  });

  test('taken away from a spec whose pull request failed leaves it, since that is how it is tried again', () => {
    expect(transition(at({ status: 'pr_failed', phase: 'publish' }), removed).kind).toBe('obsolete');
  });
});

describe('a merge', () => {
  const merged: SpecInput = { type: 'pull_merged', mergeSha: 'm', headSha: 'h', by: 'mona' };

  test.each(statuses.filter((status) => status !== 'merged'))('counts when the spec is %s', (status) => {
    expect(follow(at({ status, phase: 'publish' }), merged)).toMatchObject({ status: 'merged', hold: null });
  });

  test('is final', () => {
    const done = at({ status: 'merged', phase: 'publish' });
    for (const type of inputTypes)
      for (const input of sampleInputs(type, done)) expect(transition(done, input).kind).toBe('obsolete');
  });
});

test('a pull request that is closed and reopened is followed again, and its second end has its own events', () => {
  const closed: SpecInput = { type: 'pull_closed', by: 'mona' };
  const again = follow(at({ status: 'in_review', phase: 'publish' }), closed, {
    type: 'pull_reopened',
    by: 'mona',
  });
  expect(again).toMatchObject({ status: 'in_review', round: 2 });
  const outcome = transition(again, closed);
  expect(outcome).toMatchObject({ events: [{ type: 'spec.closed', attempt: 2 }] });
});

test('a pause during an approval comes back to the approval', () => {
  const waiting = at({
    status: 'awaiting_approval',
    phase: 'sync',
    hold: { reason: 'approval', until: null, resumeTo: 'executing' },
  });
  const paused = follow(waiting, { type: 'suspended' });
  expect(paused.hold).toEqual({ reason: 'paused', until: null, resumeTo: 'awaiting_approval' });
  expect(follow(paused, { type: 'unsuspended' })).toEqual(waiting);
});

test.each([
  ['at the start', 'planning', 'explore', 'not_started'],
  ['while the plan is written', 'planning', 'design', 'failed'],
  ['while it is carried out', 'executing', 'execute', 'failed'],
] as const)('what a spec cannot do without is told as what it is: %s', (_, status, phase, notice) => {
  const refused: SpecInput = { type: 'sandbox_refused', cause: 'The key was refused.' };
  expect(transition(at({ status, phase }), refused)).toMatchObject({
    state: { status: 'failed' },
    commands: expect.arrayContaining([{ do: 'notify', notice }]),
  });
});
