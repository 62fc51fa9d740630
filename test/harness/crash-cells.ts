import { type CrashPoint, crashPoints } from '../../src/crash-point.ts';
import type { SpecRow } from '../../src/db/specs.ts';

/** The moments of a spec in which a process can die, in their order. */
export const crashPhases = [
  'queued',
  'explore',
  'requirements',
  'design',
  'tasks',
  'sync',
  'execute',
  'verify',
  'publish',
  'in_review',
  'merged',
] as const;
export type CrashPhase = (typeof crashPhases)[number];

/** Each group is struck in the life of one spec. */
export type CrashGroup = 'intake' | 'outside' | 'sandbox' | 'gateway';

interface Reach {
  readonly group: CrashGroup;
  readonly phases: readonly CrashPhase[];
  /** Why no process comes by in the other phases; empty where there are none. */
  readonly otherwise: string;
  /** Also come by, and not struck, wherever a process tidies up after one that died. */
  readonly afterDeath?: true;
}

const everywhere = (group: CrashGroup): Reach => ({ group, phases: crashPhases, otherwise: '' });

const working = crashPhases.slice(
  crashPhases.indexOf('explore'),
  crashPhases.indexOf('publish'),
) as readonly CrashPhase[];
const atWork = (group: CrashGroup): Reach => ({
  group,
  phases: working,
  otherwise: 'no sandbox works in this phase',
});
/** The sandbox of the work that was just verified is ended while it is published. */
const atWorkAndAfter = (group: CrashGroup): Reach => ({
  group,
  phases: [...working, 'publish'],
  otherwise: 'there is no sandbox to end in this phase',
});
const once = (group: CrashGroup, phase: CrashPhase, otherwise: string): Reach => ({
  group,
  phases: [phase],
  otherwise,
});

/** Where each point is come by. What a phase lacks is not struck there; a test holds that nothing comes by there either. */
export const reachOf: Readonly<Record<CrashPoint, Reach>> = {
  'migrate.before-commit': everywhere('intake'),
  'ingress.verified': everywhere('intake'),
  'ingress.before-commit': everywhere('intake'),
  'ingress.committed': everywhere('intake'),
  'ingress.before-ack': everywhere('intake'),
  'inbox.routed': everywhere('intake'),
  'inbox.claimed': everywhere('intake'),
  'inbox.gathered': everywhere('intake'),
  'inbox.before-commit': everywhere('intake'),
  'inbox.decided': everywhere('intake'),
  'job.taken': everywhere('outside'),
  'job.before-finish': everywhere('outside'),
  'advance.before-commit': {
    group: 'gateway',
    phases: crashPhases.filter((phase) => phase !== 'merged'),
    otherwise: 'merged is final: whatever comes is obsolete and moves nothing',
  },
  'advance.committed': {
    group: 'gateway',
    phases: ['queued', 'publish'],
    otherwise: 'what moves the spec here commits it with rows of its own, at a point of its own',
  },
  'effect.before-call': everywhere('outside'),
  'effect.before-create': everywhere('outside'),
  'effect.after-call': everywhere('outside'),
  'effect.before-commit': everywhere('outside'),
  'effect.recorded': everywhere('outside'),
  'branch.made': once('outside', 'explore', 'the branch is made at the start of the work'),
  'branch.moved': once('outside', 'publish', 'the branch moves when checked work is published'),
  'pull.made': once('outside', 'publish', 'the pull request is opened when checked work is published'),
  'ref.deleted': once('outside', 'merged', 'refs are deleted after the end'),
  'status.before-call': everywhere('outside'),
  'status.after-call': everywhere('outside'),
  'status.recorded': everywhere('outside'),
  'sandbox.row-written': atWork('sandbox'),
  'sandbox.created': atWork('sandbox'),
  'sandbox.before-launch': atWork('sandbox'),
  'sandbox.launched': atWork('sandbox'),
  'sandbox.fenced': atWork('sandbox'),
  'sandbox.before-destroy': atWorkAndAfter('sandbox'),
  'sandbox.destroyed': atWorkAndAfter('sandbox'),
  'gateway.step-given': atWork('gateway'),
  'gateway.events-stored': atWork('gateway'),
  'gateway.result-before-commit': atWork('gateway'),
  'gateway.result-committed': atWork('gateway'),
  'token.minted': atWork('sandbox'),
  'token.before-revoke': { ...atWorkAndAfter('sandbox'), afterDeath: true },
  'push.intended': once('gateway', 'execute', 'commits are made and pushed while tasks are executed'),
  'push.forwarded': once('gateway', 'execute', 'commits are made and pushed while tasks are executed'),
  'push.settled': once('gateway', 'execute', 'commits are made and pushed while tasks are executed'),
  'sweep.mid-pass': everywhere('gateway'),
  'orphans.written-off': everywhere('gateway'),
  'shutdown.mid-drain': everywhere('sandbox'),
  'shutdown.fenced': everywhere('sandbox'),
};

/**
 * A spec is verified once, and with that its sandbox is ended: of what happens at that moment each group strikes one
 * point, and so ends its phase `verify`.
 */
export const endOfVerify: Readonly<Record<CrashGroup, { point: CrashPoint; phase: CrashPhase }>> = {
  intake: { point: 'token.before-revoke', phase: 'publish' },
  outside: { point: 'sandbox.before-destroy', phase: 'publish' },
  sandbox: { point: 'sandbox.destroyed', phase: 'publish' },
  gateway: { point: 'gateway.result-committed', phase: 'verify' },
};

/** What a group strikes in one phase while the spec stays in it, in order. */
export function pointsOf(group: CrashGroup, phase: CrashPhase): CrashPoint[] {
  const ends = Object.values(endOfVerify);
  return crashPoints
    .filter((point) => reachOf[point].group === group && reachOf[point].phases.includes(phase))
    .filter((point) => !ends.some((end) => end.point === point && end.phase === phase));
}

/** Every cell that a group strikes. */
export function cellsOf(group: CrashGroup): string[] {
  const end = endOfVerify[group];
  return [
    ...crashPhases.flatMap((phase) => pointsOf(group, phase).map((point) => cell(point, phase))),
    cell(end.point, end.phase),
  ];
}

/** Every cell of the matrix, as "point in phase". */
export function allCells(): string[] {
  return crashPoints.flatMap((point) => reachOf[point].phases.map((phase) => cell(point, phase)));
}

export function cell(point: CrashPoint, phase: CrashPhase): string {
  return `${point} in ${phase}`;
}

export function phaseOf({ status, phase }: Pick<SpecRow, 'status' | 'phase'>): string {
  return status === 'planning' || status === 'executing' || status === 'publishing' ? `${phase}` : status;
}
