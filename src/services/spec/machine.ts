/**
 * The state machine: pure and total. The table below is the whole truth about which input does what in which
 * status; a test walks every cell and docs/state-machine.md is drawn from it. Only this module may call an input
 * obsolete.
 */
import type { InputType, SpecInput } from './inputs.ts';
import { inputTypes } from './inputs.ts';
import { type Outcome, obsolete } from './outcome.ts';
import * as publish from './publish-rules.ts';
import * as rules from './rules.ts';
import { type SpecState, type Status, statuses } from './states.ts';

type Rule = (state: SpecState, input: never) => Outcome;

/** `to`: every status the rule can lead to. */
export type Cell = { readonly to: readonly Status[]; readonly rule: Rule } | { readonly obsolete: string };

type Row = Readonly<Partial<Record<InputType, Cell>>>;

function go(to: Status | readonly Status[], rule: Rule): Cell {
  return { to: typeof to === 'string' ? [to] : to, rule };
}

/** What may happen to any spec that is not over yet. */
const live: Row = {
  cancelled: go('cancelled', publish.cancelled),
  label_removed: go('cancelled', publish.labelRemoved),
  pull_merged: go('merged', publish.pullMerged),
};

/** While a sandbox may be at work. */
function working(status: Status): Row {
  return {
    ...live,
    ...holdable(status),
    progressed: go(status, rules.progressed),
    sandbox_lost: go([status, 'failed'], rules.sandboxLost),
    sandbox_refused: go('failed', rules.sandboxRefused),
    held: go(status, rules.held),
    resumed: go(status, rules.resumed),
  };
}

/** While no sandbox is at work. */
function holdable(status: Status): Row {
  return {
    branch_created: go(status, rules.branchCreated),
    suspended: go(status, rules.suspended),
    unsuspended: go(status, rules.unsuspended),
  };
}

/** Somebody may merge the branch whatever became of its spec. */
const over: Row = { pull_merged: go('merged', publish.pullMerged) };

const rows: Readonly<Record<Status, Row>> = {
  queued: {
    ...live,
    ...holdable('queued'),
    prepared: go(['planning', 'executing'], rules.prepared),
    preflight_failed: go('failed', rules.preflightFailed),
    sandbox_refused: go('failed', rules.sandboxRefused),
  },
  planning: {
    ...working('planning'),
    phase_accepted: go(['planning', 'awaiting_approval', 'executing'], rules.phaseAccepted),
    phase_rejected: go(['planning', 'failed'], rules.phaseRejected),
  },
  awaiting_approval: {
    ...live,
    ...holdable('awaiting_approval'),
    approved: go('executing', rules.approved),
  },
  executing: {
    ...working('executing'),
    task_failed: go(['executing', 'failed'], rules.taskFailed),
    tasks_done: go('executing', rules.tasksDone),
    verified: go('publishing', rules.verified),
    verify_failed: go(['executing', 'failed'], rules.verifyFailed),
  },
  publishing: {
    ...live,
    ...holdable('publishing'),
    progressed: go('publishing', rules.progressed),
    nothing_new: go('closed', publish.nothingNew),
    gate_passed: go('publishing', publish.gatePassed),
    publish_approved: go('publishing', publish.publishApproved),
    gate_refused: go('failed', publish.gateRefused),
    branch_moved: go('publishing', publish.branchMoved),
    pull_opened: go('in_review', publish.pullOpened),
    publish_failed: go('pr_failed', publish.publishFailed),
  },
  pr_failed: {
    ...live,
    ...holdable('pr_failed'),
    pull_opened: go('in_review', publish.pullOpened),
    retried: go('publishing', publish.retriedPublishing),
    label_removed: { obsolete: 'taking the label away is the first half of trying again' },
  },
  in_review: {
    ...live,
    ...holdable('in_review'),
    pull_closed: go('closed', publish.pullClosed),
    pull_updated: go('in_review', publish.pullUpdated),
  },
  merged: {},
  closed: { ...over, pull_reopened: go('in_review', publish.pullReopened) },
  failed: {
    ...over,
    branch_created: go('failed', rules.branchCreated),
    cancelled: go('cancelled', publish.cancelled),
    retried: go('queued', rules.retried),
  },
  cancelled: over,
};

const settled: Partial<Record<Status, string>> = {
  merged: 'the spec is merged, which is final',
  closed: 'the spec is closed',
  failed: 'the spec has failed',
  cancelled: 'the spec is cancelled',
};

const reasons: Partial<Record<InputType, string>> = {
  prepared: 'the preparation was over before',
  retried: 'the spec is running already',
  approved: 'nothing waits for an approval',
  publish_approved: 'no finished work waits for an approval',
  pull_opened: 'the spec waits for no pull request now',
  pull_closed: 'the spec follows no open pull request',
  pull_reopened: 'the pull request was not closed for this spec',
  sandbox_lost: 'no sandbox is needed now',
  held: 'no model is asked now',
  resumed: 'the spec is not held for want of a model',
};

/** The cell of one status and one input. */
export function cellOf(status: Status, input: InputType): Cell {
  return (
    rows[status][input] ?? {
      obsolete: settled[status] ?? reasons[input] ?? `a spec that is ${status} takes no "${input}"`,
    }
  );
}

/** Every cell, for the test that walks them and for the diagram. */
export function table(): { status: Status; input: InputType; cell: Cell }[] {
  return statuses.flatMap((status) =>
    inputTypes.map((input) => ({ status, input, cell: cellOf(status, input) })),
  );
}

/** Decides what follows from an input. Total: every input in every state gives a next state or a reason. */
export function transition(state: SpecState, input: SpecInput): Outcome {
  const cell = cellOf(state.status, input.type);
  if ('obsolete' in cell) return obsolete(cell.obsolete);
  // The table pairs each rule with the input it is listed under, which the type system can't follow.
  return cell.rule(state, input as never);
}
