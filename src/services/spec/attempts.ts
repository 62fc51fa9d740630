import type { SpecState } from './states.ts';

/** The first attempt number of a phase in a round; numbers are never used twice, so events stay unique. */
export function firstAttempt({ round }: Pick<SpecState, 'round'>): number {
  return (round - 1) * ATTEMPT_STRIDE + 1;
}

/** Room for attempts in one round: 200 tasks with 5 attempts each, the most that settings allow, need 801. */
const ATTEMPT_STRIDE = 1000;

/** 1 for the first attempt of a phase in its round. */
export function attemptInRound({ attempt }: Pick<SpecState, 'attempt'>): number {
  return ((attempt - 1) % ATTEMPT_STRIDE) + 1;
}
