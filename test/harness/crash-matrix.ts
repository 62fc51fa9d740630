import type { CrashPoint } from '../../src/crash-point.ts';
import {
  type CrashGroup,
  type CrashPhase,
  cell,
  endOfVerify,
  phaseOf,
  pointsOf,
  reachOf,
} from './crash-cells.ts';
import type { CrashRig, Dying } from './crash-rig.ts';
import { alwaysInvariants } from './invariants.ts';
import { until } from './until.ts';

/** Where a spec is on its way through the matrix. */
export interface Journey {
  readonly rig: CrashRig;
  readonly group: CrashGroup;
  /** The cells in which a process has died. */
  readonly struck: Set<string>;
}

/** Kills a process at each point of the group in one phase, and then lets the spec go on to the next one. */
export async function strikePhase(journey: Journey, phase: CrashPhase): Promise<void> {
  const { rig, group, struck } = journey;
  if (phase === 'queued') await enterQueued(rig);
  hold(rig, phase);
  rig.takeTrace();
  for (const point of ordered(group, phase)) {
    if (endsPhase(point, phase)) continue;
    await strike(rig, phase, point);
    struck.add(cell(point, phase));
    await expectPhase(rig, phase, point);
  }
  const strays = rig
    .takeTrace()
    .filter((point) => !reachOf[point].phases.includes(phase) && !reachOf[point].afterDeath);
  if (strays.length > 0)
    throw new Error(`listed as out of reach in ${phase}, but passed: ${strays.join(', ')}`);
  for (const passed of await moveOn(journey, phase)) struck.add(passed);
}

/** What happens once in a phase comes before what can be provoked, and what takes time for others comes last. */
function ordered(group: CrashGroup, phase: CrashPhase): CrashPoint[] {
  const points = pointsOf(group, phase);
  const rank = (point: CrashPoint): number => {
    if (point === 'branch.made' || point === 'ref.deleted') return 0;
    if (point.startsWith('status.')) return 1;
    return thawed(point, phase) ? 3 : 2;
  };
  return [0, 1, 2, 3].flatMap((wanted) => points.filter((point) => rank(point) === wanted));
}

/** Points that only the work which ends the phase comes by. */
function thawed(point: CrashPoint, phase: CrashPhase): boolean {
  const moves = ['advance.before-commit', 'advance.committed', 'branch.moved', 'pull.made'];
  return ['queued', 'publish', 'in_review'].includes(phase) && moves.includes(point);
}

/** Struck by `moveOn`, since the spec is in the next phase with it. */
function endsPhase(point: CrashPoint, phase: CrashPhase): boolean {
  if (point === 'advance.committed') return phase === 'queued';
  return point === 'gateway.result-committed' && phase !== 'execute';
}

async function expectPhase(rig: CrashRig, phase: CrashPhase, point: CrashPoint): Promise<void> {
  const spec = await rig.spec();
  const now = spec && phaseOf(spec);
  if (now !== phase) throw new Error(`${point}: the spec is ${now}, not in ${phase}: ${spec?.cause}`);
  const broken = await alwaysInvariants(rig);
  if (broken.length > 0) throw new Error(`after ${point} in ${phase}: ${broken.join('; ')}`);
}

async function strike(rig: CrashRig, phase: CrashPhase, point: CrashPoint): Promise<void> {
  if (point.startsWith('ingress.')) return rig.webDiesAt(point, () => rig.provoke());
  if (/^(inbox|job|effect)\./.test(point)) await rig.provoke();
  if (point === 'branch.made' || point === 'ref.deleted') {
    return withHook(rig, isStatusEdit, () => rig.workerDiesAt(point, { hang: true }));
  }
  if (thawed(point, phase)) {
    if (phase === 'in_review') await merge(rig);
    return withHook(
      rig,
      () => false,
      () => rig.workerDiesAt(point),
    );
  }
  if (['sandbox.before-destroy', 'sandbox.destroyed', 'token.before-revoke'].includes(point)) {
    return paused(rig, point);
  }
  return rig.workerDiesAt(point, dying(point));
}

function dying(point: CrashPoint): Dying {
  const goesOn = point === 'advance.before-commit' || /^(gateway\.result|push\.)/.test(point);
  if (!point.startsWith('shutdown.')) return { hang: !goesOn };
  return {
    hang: true,
    async meanwhile(worker) {
      await worker.ready;
      worker.kill('SIGTERM');
    },
  };
}

/** The sandbox is ended while it works: the installation is suspended for as long as that takes. */
async function paused(rig: CrashRig, point: CrashPoint): Promise<void> {
  const { id } = rig.world.installation;
  const { generation } = (await rig.spec())!;
  const gitTokens = () =>
    rig.github.installationTokens().filter(({ asked }) => String(asked) === 'contents').length;
  const before = gitTokens();
  // A process may die on what an earlier one left behind, before the sandbox is at work.
  let died = false;
  const atWork = async () => {
    if (died) return true;
    // A sandbox that has fetched nothing yet holds no token that could be revoked.
    if (gitTokens() === before) return false;
    const { rows } = await rig.database.db.raw(
      `select 1 from runs join sandboxes on sandboxes.id = runs.sandbox_id
       where runs.state = 'open' and sandboxes.state = 'running' and sandboxes.generation > ?`,
      [generation],
    );
    return rows.length > 0;
  };
  await rig.workerDiesAt(point, {
    hang: true,
    async meanwhile() {
      await until(atWork, 60_000);
      if (!died) rig.github.suspendInstallation(id);
    },
  });
  died = true;
  rig.github.unsuspendInstallation(id);
  await rig.github.idle();
}

/** Lets the phase come to its end, and answers the cells that were struck with it. */
async function moveOn({ rig, group }: Journey, phase: CrashPhase): Promise<string[]> {
  switch (phase) {
    case 'queued':
      rig.github.hooks.onRequest = undefined;
      await rig.workerDiesAt('advance.committed');
      return [cell('advance.committed', phase)];
    case 'execute':
      await rig.runUntil(async () => (await rig.spec())?.phase === 'verify');
      return [];
    case 'verify': {
      hold(rig, 'publish');
      const end = endOfVerify[group];
      await rig.workerDiesAt(end.point);
      return [cell(end.point, end.phase)];
    }
    case 'publish':
      await withHook(rig, isStatusEdit, () =>
        rig.runUntil(async () => (await rig.spec())?.status === 'in_review'),
      );
      return [];
    case 'in_review':
      await merge(rig);
      while ((await rig.spec())?.status !== 'merged') await rig.workerDiesAt('inbox.decided');
      return [];
    case 'merged':
      await rig.startWorker();
      return [];
    default:
      await rig.workerDiesAt('gateway.result-committed');
      return [cell('gateway.result-committed', phase)];
  }
}

async function enterQueued(rig: CrashRig): Promise<void> {
  hold(rig, 'queued');
  while (!(await rig.spec())) await rig.workerDiesAt('inbox.decided');
}

async function merge(rig: CrashRig): Promise<void> {
  const { pull_request_number: pull } = (await rig.spec())!;
  const { pulls } = (await rig.github.state()).repos[rig.world.repo.fullName]!;
  if (pulls.find(({ number }) => number === pull)?.merged) return;
  await rig.api('PUT', `/repos/${rig.world.repo.fullName}/pulls/${pull}/merge`, {});
  await rig.github.idle();
}

type Asked = Parameters<NonNullable<CrashRig['github']['hooks']['onRequest']>>[0];

/** What has to fail so that the spec stays where it is. */
const held: Readonly<Partial<Record<CrashPhase, string>>> = {
  queued: '/rules/branches/',
  publish: '/compare/',
};

function hold(rig: CrashRig, phase: CrashPhase): void {
  const part = held[phase];
  rig.github.hooks.onRequest = part
    ? ({ path }) => (path.includes(part) ? { status: 500 } : null)
    : undefined;
}

function isStatusEdit({ method, path }: Asked): boolean {
  return method === 'PATCH' && path.includes('/issues/comments/');
}

/** Fails what `refuses` names, and nothing else, for as long as the work takes. */
async function withHook(
  rig: CrashRig,
  refuses: (request: Asked) => boolean,
  work: () => Promise<void>,
): Promise<void> {
  const before = rig.github.hooks.onRequest;
  rig.github.hooks.onRequest = (request) => (refuses(request) ? { status: 500 } : null);
  await work();
  rig.github.hooks.onRequest = before;
}
