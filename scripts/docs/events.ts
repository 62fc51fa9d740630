import type { SpecEventType } from '../../src/services/spec/outcome.ts';

interface EventDoc {
  readonly when: string;
  /** Whether the event names a phase. */
  readonly phase: 'always' | 'never' | 'sometimes';
  /** What `attempt` counts. */
  readonly attempt: 'attempt' | 'round' | 'hold';
  /** Field → meaning; several where the event comes for several reasons. */
  readonly payloads: readonly Readonly<Record<string, string>>[];
}

/** What each event tells. The machine's test compares it with what is really emitted. */
export const eventDocs: Readonly<Record<SpecEventType, EventDoc>> = {
  'spec.execution_started': {
    when: 'Everything that a spec needs was found; a sandbox is asked for. Once a round.',
    phase: 'never',
    attempt: 'round',
    payloads: [{ baseSha: 'commit that the work starts from' }],
  },
  'spec.branch_created': {
    when: 'The public branch exists, at the base.',
    phase: 'never',
    attempt: 'round',
    payloads: [{ name: 'branch, without `refs/heads/`', sha: 'commit that it points to' }],
  },
  'spec.phase_started': {
    when: 'An attempt at a phase begins.',
    phase: 'always',
    attempt: 'attempt',
    payloads: [{}],
  },
  'spec.held': {
    when: 'No model can be asked: a budget is used up, or the provider takes no more calls. The work waits where it stands.',
    phase: 'always',
    attempt: 'hold',
    payloads: [
      {
        reason: '`budget` or `quota`',
        until: 'when it goes on by itself, or null where a person has to see to it',
        cause: 'a sentence',
      },
    ],
  },
  'spec.resumed': {
    when: 'The time of a hold has come, or a person has set the label again.',
    phase: 'always',
    attempt: 'hold',
    payloads: [{ by: 'login of the person, or null' }],
  },
  'spec.phase_completed': {
    when: 'An attempt at a phase was accepted.',
    phase: 'always',
    attempt: 'attempt',
    payloads: [
      { hash: 'sha256 of the accepted artifact with what it builds on (planning phases)' },
      {},
      { command: 'the check that passed, or null where the repository has none (`verify`)' },
      { number: 'pull request (`publish`)' },
    ],
  },
  'spec.phase_retry': {
    when: 'An attempt was not accepted and the next one follows; `attempt` is the one that failed.',
    phase: 'always',
    attempt: 'attempt',
    payloads: [
      { failures: 'sentences that the next attempt is told (planning phases)' },
      { task: 'id of the task that failed', reason: 'why (`execute`)' },
      { reason: 'how the check ended (`verify`)' },
    ],
  },
  'spec.phase_failed': {
    when: 'An attempt was not accepted and no other follows by itself.',
    phase: 'always',
    attempt: 'attempt',
    payloads: [
      { failures: 'sentences (planning phases)' },
      { task: 'id of the task that failed', reason: 'why (`execute`)' },
      { reason: 'how the check ended (`verify`)' },
      { refusals: 'parts of the change that may not be published (`publish`)' },
      { cause: 'why the pull request could not be opened (`publish`)' },
    ],
  },
  'spec.sync_started': {
    when: 'Beside `spec.phase_started` of the phase `sync`.',
    phase: 'always',
    attempt: 'attempt',
    payloads: [{}],
  },
  'spec.sync_completed': {
    when: 'Beside `spec.phase_completed` of the phase `sync`: the plan is whole.',
    phase: 'always',
    attempt: 'attempt',
    payloads: [{ hash: 'as in `spec.phase_completed`' }],
  },
  'spec.execution_completed': {
    when: 'The tasks are done and verified; publishing begins. Once a round.',
    phase: 'never',
    attempt: 'round',
    payloads: [{}],
  },
  'spec.pr_created': {
    when: 'The pull request exists, opened by the App or adopted.',
    phase: 'never',
    attempt: 'round',
    payloads: [{ number: 'pull request', url: 'its page', headSha: 'commit that it asks to merge' }],
  },
  'spec.merged': {
    when: 'The pull request was merged.',
    phase: 'never',
    attempt: 'round',
    payloads: [{ mergeSha: 'merge commit, or null where GitHub names none', by: 'login of who merged it' }],
  },
  'spec.closed': {
    when: 'The spec ended without a merge: its pull request was closed, or there was nothing to change.',
    phase: 'sometimes',
    attempt: 'round',
    payloads: [
      { cause: 'a sentence for people; the phase is `publish`: nothing to change' },
      { cause: 'a sentence for people', by: 'login of who closed the pull request' },
    ],
  },
  'spec.failed': {
    when: 'The spec can not go on by itself; `phase` is the one it was in, null before the first.',
    phase: 'sometimes',
    attempt: 'round',
    payloads: [{ cause: 'sentences for people, one a line' }],
  },
  'spec.cancelled': {
    when: 'Somebody took the request back, or the repository is out of reach.',
    phase: 'sometimes',
    attempt: 'round',
    payloads: [{ cause: 'a sentence for people', by: 'login of who did it' }],
  },
};

/** `docs/events.md`: every event of a spec with its payload. */
export function eventsPage(): string {
  return `# Events of a spec

Made by \`npm run docs\` from \`scripts/docs/events.ts\`, which a test compares with what the state machine emits.

\`GET /api/v1/specs/{id}/events\` lists them, oldest first: \`{seq, type, phase, attempt, payload, at}\`. An event is
unique by spec, type, phase and attempt, whatever is delivered twice.

A **round** begins when the spec starts and whenever a person has it tried again (or reopens its pull request); rounds
count from 1. **Attempts** count from 1 in the first round, from 1001 in the second, from 2001 in the third, so that
no number comes twice. **Holds** count from 1. Which of them \`attempt\` holds is said below.

${Object.entries(eventDocs)
  .map(([type, doc]) => section(type, doc))
  .join('\n\n')}
`;
}

function section(type: string, doc: EventDoc): string {
  const phase = { always: 'the phase', never: 'null', sometimes: 'the phase or null' }[doc.phase];
  return `## \`${type}\`

${doc.when}

- \`phase\`: ${phase}; \`attempt\`: the ${doc.attempt}
${doc.payloads.map((fields) => `- payload ${payload(fields)}`).join('\n')}`;
}

function payload(fields: Readonly<Record<string, string>>): string {
  const parts = Object.entries(fields).map(([name, about]) => `\`${name}\`: ${about}`);
  return parts.length === 0 ? '`{}`' : `{ ${parts.join('; ')} }`;
}
