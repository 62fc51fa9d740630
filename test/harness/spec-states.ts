import type { InputType, SpecInput } from '../../src/services/spec/inputs.ts';
import {
  type Hold,
  isLive,
  type Phase,
  type PlanningPhase,
  phases,
  type SpecState,
  type Status,
  statuses,
} from '../../src/services/spec/states.ts';

/** How a spec begins. */
export const FIRST: SpecState = { status: 'queued', phase: null, attempt: 1, round: 1, hold: null };

const planning: readonly PlanningPhase[] = ['explore', 'requirements', 'design', 'tasks', 'sync'];

/** The phases in which a spec of a status can be. */
const phasesOf: Readonly<Record<Status, readonly (Phase | null)[]>> = {
  queued: [null, ...phases],
  planning,
  awaiting_approval: ['sync'],
  executing: ['execute', 'verify'],
  publishing: ['publish'],
  pr_failed: ['publish'],
  in_review: ['publish'],
  merged: ['publish', 'execute', null],
  closed: ['publish'],
  failed: [null, ...phases],
  cancelled: [null, ...phases],
};

const paused = (status: Status): Hold => ({ reason: 'paused', until: null, resumeTo: status });

function holdsOf(status: Status): (Hold | null)[] {
  if (!isLive(status)) return [null];
  if (status === 'planning' || status === 'executing') {
    return [null, paused(status), { reason: 'budget', until: null, resumeTo: status, nth: 1 }];
  }
  if (status === 'publishing') {
    return [null, paused(status), { reason: 'approval', until: null, resumeTo: status, sha }];
  }
  if (status !== 'awaiting_approval') return [null, paused(status)];
  return [{ reason: 'approval', until: null, resumeTo: 'executing' }, paused(status)];
}

/** States of every status: each phase it can be in, first and last attempt, rounds 1 and 2, every hold. */
export function sampleStates(): SpecState[] {
  return statuses.flatMap((status) =>
    phasesOf[status].flatMap((phase) =>
      [1, 2].flatMap((round) =>
        [1, 3].flatMap((attempt) =>
          holdsOf(status).map((hold) => ({
            status,
            phase,
            round,
            attempt: (round - 1) * 1000 + attempt,
            hold,
          })),
        ),
      ),
    ),
  );
}

/** The caller counts a spec's holds, so no two inputs name the same one. */
let holds = 0;
function nextHold(): number {
  holds += 1;
  return holds;
}

const by = 'mona';
const sha = 'a'.repeat(40);

/** Inputs of a type as they can arrive in a state: the matching one, the late one, each branch of its rule. */
export function sampleInputs(type: InputType, state: SpecState): SpecInput[] {
  const at = { phase: (state.phase ?? 'explore') as PlanningPhase, attempt: state.attempt };
  const attemptsPerRound = 3;
  const samples: { readonly [T in InputType]: readonly Omit<Extract<SpecInput, { type: T }>, 'type'>[] } = {
    prepared: [{ baseBranch: 'main', baseSha: sha }],
    preflight_failed: [{ cause: 'no' }],
    phase_accepted: [true, false].flatMap((needsApproval) => [
      { ...at, hash: 'h', needsApproval },
      { ...at, attempt: at.attempt + 1, hash: 'h', needsApproval },
    ]),
    phase_rejected: [
      { ...at, failures: ['bad'], attemptsPerRound },
      { ...at, attempt: at.attempt + 1, failures: ['bad'], attemptsPerRound },
    ],
    branch_created: [{ name: 'spec/x', sha }],
    approved: [{ hash: 'h', by }],
    progressed: [{}],
    task_failed: [1, 3].map((taskAttempt) => ({
      task: 'TSK-001',
      taskAttempt,
      reason: 'no',
      attemptsPerRound,
    })),
    tasks_done: [{}],
    verified: [{ command: 'npm test' }, { command: null }],
    verify_failed: [{ reason: 'no', attemptsPerRound }],
    nothing_new: [{}],
    gate_passed: [true, false].map((needsApproval) => ({ sha, needsApproval })),
    publish_approved: [
      { sha, by },
      { sha: 'b'.repeat(40), by },
    ],
    gate_refused: [{ refusals: ['no'] }],
    branch_moved: [{ sha }],
    pull_opened: [{ number: 7, url: 'https://x/7', headSha: sha }],
    publish_failed: [{ cause: 'no' }],
    pull_merged: [{ mergeSha: sha, headSha: sha, by }],
    pull_closed: [{ by }],
    pull_reopened: [{ by }],
    pull_updated: [{ headSha: sha }],
    cancelled: [{ cause: 'no', by }],
    label_removed: [{ label: 'spec', by }],
    retried: [{ by }],
    sandbox_lost: [true, false].map((exhausted) => ({ reason: 'gone', exhausted })),
    sandbox_refused: [{ cause: 'no' }],
    held: (['budget', 'quota'] as const).flatMap((reason) =>
      [null, '2026-01-01T00:00:00.000Z'].map((until) => ({ reason, until, cause: 'no', nth: nextHold() })),
    ),
    resumed: [{ by }, { by: null }],
    suspended: [{}],
    unsuspended: [{}],
  };
  return samples[type].map((rest) => ({ type, ...rest }) as SpecInput);
}
