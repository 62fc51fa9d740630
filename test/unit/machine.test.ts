import { describe, expect, test } from '@jest/globals';
import { eventDocs } from '../../scripts/docs/events.ts';
import { attemptInRound } from '../../src/services/spec/attempts.ts';
import { type InputType, inputTypes, type SpecInput } from '../../src/services/spec/inputs.ts';
import { cellOf, table, transition } from '../../src/services/spec/machine.ts';
import type { Next, Outcome } from '../../src/services/spec/outcome.ts';
import { isLive, type SpecState, type Status, statuses } from '../../src/services/spec/states.ts';
import { randomFrom } from '../harness/random.ts';
import { FIRST, sampleInputs, sampleStates } from '../harness/spec-states.ts';

interface Case {
  readonly state: SpecState;
  readonly input: SpecInput;
  readonly outcome: Outcome;
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) freeze(part);
  return Object.freeze(value);
}

/** Every sample state under every sample input; frozen, so that a rule that changes its arguments throws. */
const cases: readonly Case[] = sampleStates().flatMap((state) =>
  inputTypes.flatMap((type) =>
    sampleInputs(type, state).map((input) => ({
      state,
      input,
      outcome: transition(freeze(state), freeze(input)),
    })),
  ),
);

const moves = cases.filter((one): one is Case & { outcome: Next } => one.outcome.kind === 'next');

describe('the table', () => {
  test('has a cell for every status and input, each with a way on or a reason', () => {
    expect(table()).toHaveLength(statuses.length * inputTypes.length);
    const empty = table().filter(({ cell }) => 'obsolete' in cell && cell.obsolete.length < 10);
    expect(empty).toEqual([]);
  });

  test('every sample ends in a status that its cell names, or is obsolete with a reason', () => {
    const wrong = cases.filter(({ state, input, outcome }) => {
      const cell = cellOf(state.status, input.type);
      if (outcome.kind === 'obsolete') return outcome.reason.length < 10;
      return 'obsolete' in cell || !cell.to.includes(outcome.state.status);
    });
    expect(wrong).toEqual([]);
  });

  test('every status that a cell names is reached by a sample', () => {
    const reached = new Set(
      moves.map(({ state, input, outcome }) => `${state.status} ${input.type} ${outcome.state.status}`),
    );
    const promised = table().flatMap(({ status, input, cell }) =>
      'obsolete' in cell ? [] : cell.to.map((to) => `${status} ${input} ${to}`),
    );
    expect(promised.filter((one) => !reached.has(one))).toEqual([]);
  });

  test('every status can be reached from the first', () => {
    const reached = new Set<Status>(['queued']);
    // A set takes what is added while it is walked.
    for (const status of reached) {
      for (const { cell } of table().filter((one) => one.status === status)) {
        for (const to of 'obsolete' in cell ? [] : cell.to) reached.add(to);
      }
    }
    expect(statuses.filter((status) => !reached.has(status))).toEqual([]);
  });
});

describe('every way on', () => {
  test('keeps what is over free of holds', () => {
    const held = moves.filter(({ outcome: { state } }) => !isLive(state.status) && state.hold !== null);
    expect(held).toEqual([]);
  });

  test('keeps a pause until it is lifted or the spec is over', () => {
    const lost = moves.filter(({ state, input, outcome }) => {
      const was = state.hold?.reason === 'paused';
      const lifted =
        input.type === 'unsuspended' || !isLive(outcome.state.status) || input.type === 'retried';
      return was && !lifted && outcome.state.hold?.reason !== 'paused';
    });
    expect(lost.map(({ state, input }) => `${state.status} ${input.type}`)).toEqual([]);
  });

  test('names the status that goes on after a pause', () => {
    const astray = moves.filter(
      ({ outcome: { state } }) => state.hold?.reason === 'paused' && state.hold.resumeTo !== state.status,
    );
    expect(astray.map(({ state, input }) => `${state.status} ${input.type}`)).toEqual([]);
  });

  test('never counts attempts or rounds down', () => {
    const back = moves.filter(
      ({ state, outcome }) => outcome.state.round < state.round || attemptInRound(outcome.state) < 1,
    );
    expect(back).toEqual([]);
  });

  test('ends the sandbox when no sandbox is needed any more', () => {
    const working = new Set<Status>(['planning', 'executing']);
    const left = moves.filter(
      ({ state, outcome }) =>
        working.has(state.status) &&
        !working.has(outcome.state.status) &&
        !outcome.commands.some((command) => command.do === 'close_sandbox'),
    );
    expect(left.map(({ state, input }) => `${state.status} ${input.type}`)).toEqual([]);
  });

  test('tells a person of every failure, with a cause', () => {
    const bad = moves.filter(({ state, outcome }) => {
      const fails = ['failed', 'pr_failed'].includes(outcome.state.status);
      if (!fails || state.status === outcome.state.status) return false;
      return !outcome.patch.cause || !outcome.commands.some((command) => command.do === 'notify');
    });
    expect(bad).toEqual([]);
  });

  test('lets the hidden ref go when a spec is over for good', () => {
    const kept = moves.filter(({ state, outcome }) => {
      const over = !isLive(outcome.state.status) && outcome.state.status !== 'failed';
      const was = !isLive(state.status) && state.status !== 'failed';
      return over && !was && !outcome.commands.some((command) => command.do === 'delete_checkpoint');
    });
    expect(kept.map(({ state, input }) => `${state.status} ${input.type}`)).toEqual([]);
  });

  test('emits documented events with the documented payload', () => {
    const wrong = moves
      .flatMap(({ outcome }) => outcome.events)
      .filter(({ type, phase, payload }) => {
        const doc = eventDocs[type];
        const keys = Object.keys(payload);
        const variants = doc.payloads.map((fields) => Object.keys(fields));
        const known = variants.some((names) => names.join() === keys.join());
        return (
          !known || (phase === null && doc.phase === 'always') || (phase !== null && doc.phase === 'never')
        );
      });
    expect(wrong).toEqual([]);
    const emitted = new Set(moves.flatMap(({ outcome }) => outcome.events.map(({ type }) => type)));
    expect(Object.keys(eventDocs).filter((type) => !emitted.has(type as never))).toEqual([]);
  });
});

interface Walk {
  readonly steps: readonly string[];
  readonly keys: readonly string[];
}

/** What ends a spec comes rarely, or no walk would see much. */
const rare = new Set<InputType>([
  'pull_merged',
  'cancelled',
  'label_removed',
  'gate_refused',
  'sandbox_refused',
  'preflight_failed',
  'nothing_new',
]);

/** Random facts, at random moments, as often as they like; only what a key allows once comes once. */
function walk(seed: number, length: number): Walk {
  const { int: pick } = randomFrom(seed);
  const steps: string[] = [];
  const keys: string[] = [];
  let state = FIRST;
  let branch = false;
  for (let step = 0; step < length; step += 1) {
    const type = inputTypes[pick(inputTypes.length)]!;
    if ((type === 'branch_created' && branch) || (rare.has(type) && pick(40) > 0)) continue;
    const inputs = sampleInputs(type, state);
    const outcome = transition(state, inputs[pick(inputs.length)]!);
    if (outcome.kind === 'obsolete') continue;
    branch ||= type === 'branch_created';
    steps.push(`${type} → ${outcome.state.status}`);
    keys.push(...outcome.events.map((event) => `${event.type}/${event.phase}/${event.attempt}`));
    state = outcome.state;
  }
  return { steps, keys };
}

test('no event key comes twice on any of 100 random walks', () => {
  const seen = new Set<string>();
  for (let seed = 1; seed <= 100; seed += 1) {
    const { steps, keys } = walk(seed, 1000);
    for (const step of steps) seen.add(step.split(' → ')[1]!);
    const twice = keys.filter((key, index) => keys.indexOf(key) !== index);
    expect({ seed, twice, steps: twice.length > 0 ? steps : [] }).toEqual({ seed, twice: [], steps: [] });
  }
  expect(statuses.filter((status) => !seen.has(status))).toEqual([]);
});
