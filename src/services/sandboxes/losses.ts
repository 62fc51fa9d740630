import type { SandboxEnd } from '../../sandbox/provider.ts';

/** After so many losses within an hour the spec fails instead of taking another sandbox. */
export const MOST_LOSSES = 3;

/** How a sandbox can be lost. The sentences are shown on the issue; advice says what a person can do about it. */
const kinds = {
  silent: {
    what: 'it gave no sign of life',
    advice: 'The machine it ran on may be overloaded or cut off: ask whoever runs Specwright to look at it.',
  },
  ended: {
    what: 'it ended by itself',
    advice: 'Ask whoever runs Specwright to look for the cause in the log of its worker.',
  },
  memory: {
    what: 'it used more memory than it may',
    advice:
      'Raise `limits.memoryMb` in `.github/specwright.yml`, or let the work and its checks need less memory.',
  },
  disk: {
    what: 'it kept more on disk than it may',
    advice: 'Raise `limits.diskMb` in `.github/specwright.yml`, or let the work and its checks write less.',
  },
  not_started: {
    what: 'it did not start',
    advice: 'Ask whoever runs Specwright to look at the sandboxes of its worker.',
  },
  broken: {
    what: 'its runner could not go on',
    advice: 'Mend what the last loss names, or ask whoever runs Specwright to look at it.',
  },
  overdue: {
    what: 'a step did not end within its time',
    advice: 'Raise `limits.stepMinutes` in `.github/specwright.yml` if the step needs longer.',
  },
  idle: {
    what: 'its runner asked for no more steps',
    advice: 'Ask whoever runs Specwright to look for the cause in the log of its worker.',
  },
  vanished: {
    what: 'it is no longer there',
    advice:
      'Something outside of Specwright has ended it: ask whoever runs Specwright to look at the machine.',
  },
} as const satisfies Record<string, { what: string; advice: string }>;

export type LossKind = keyof typeof kinds;

/** How the provider's word about an end is stored. */
export function endOf(why: SandboxEnd): string {
  return why === 'memory' || why === 'disk' ? lossOf(why) : lossOf('ended', why);
}

/** Why a loss is shown on the issue: parts of it come from inside the sandbox, and may be long. */
const DETAIL_CHARACTERS = 500;

/** What is stored as the end of a sandbox that counts as a loss of its own fault. */
export function lossOf(kind: LossKind, detail: string | null = null): string {
  const more = detail === null ? '' : `: ${detail.slice(0, DETAIL_CHARACTERS).toWellFormed()}`;
  return `lost: ${kinds[kind].what}${more}`;
}

/** The sentence of a stored end, without the mark that makes it count. */
export function sentenceOf(reason: string): string {
  return reason.replace(/^lost: /, '');
}

/** What a person can do about a loss. */
export function adviceOn(reason: string): string {
  const sentence = sentenceOf(reason);
  const kind = Object.values(kinds).find(({ what }) => sentence.startsWith(what));
  return (kind ?? kinds.ended).advice;
}
