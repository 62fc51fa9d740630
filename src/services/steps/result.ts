/**
 * Takes the runner's answer to a step and judges it. The runner judges nothing: success is what git, the gates and
 * the repository's own check say.
 *
 * Race ledger
 * - The answer comes twice → the run is finished already: acknowledged, nothing more.
 * - The answer of a sandbox that was given up → its run is lost or its generation is old: not taken.
 */
import { crashPoint } from '../../crash-point.ts';
import { dropRun, finishRun, type RunRow, readRun } from '../../db/runs.ts';
import { lockSpec, type SpecRow } from '../../db/specs.ts';
import { updateTask } from '../../db/tasks.ts';
import { assertNever, FatalError } from '../../errors.ts';
import type { Step, StepResult } from '../../runner/protocol.ts';
import type { Deps, Unit } from '../deps.ts';
import { wantOfModel } from '../models/want.ts';
import { loseSandbox } from '../sandboxes/lose.ts';
import { lossOf } from '../sandboxes/losses.ts';
import { advance } from '../spec/advance.ts';
import { loadWork, settingsOf } from '../spec/work.ts';
import { finishTask } from './finish-task.ts';
import { judgePhase } from './judge-phase.ts';
import { parseStep, type StepName } from './names.ts';
import type { Asking } from './next.ts';

export type Taken = 'accepted' | 'already' | 'not_open';

export async function takeResult(
  deps: Deps,
  asking: Asking,
  answer: { stepId: string; result: StepResult },
): Promise<Taken> {
  return deps.db.transaction(async (trx) => {
    const unit: Unit = { trx, delivery: null };
    const spec = await lockSpec(trx, asking.specId);
    const run = await readRun(trx, answer.stepId);
    if (!spec || run?.sandbox_id !== asking.sandboxId) return 'not_open';
    if (run.state === 'done') return 'already';
    if (run.state === 'lost' || spec.generation !== asking.generation) return 'not_open';
    const { result } = answer;
    const want = await wantOfModel(unit, run, result);
    if (want) {
      await dropRun(trx, run.id, result);
      await advance(deps, unit, { specId: spec.id, input: want });
    } else {
      await finishRun(trx, run.id, result);
      await judge(deps, unit, { spec, run, result });
    }
    crashPoint('gateway.result-before-commit');
    return 'accepted';
  });
}

interface Answered {
  readonly spec: SpecRow;
  readonly run: RunRow;
  readonly result: StepResult;
}

async function judge(deps: Deps, unit: Unit, answered: Answered): Promise<void> {
  const { run, result } = answered;
  if (result.kind === 'broken') {
    await loseSandbox(deps, unit, { sandboxId: run.sandbox_id, reason: lossOf('broken', result.reason) });
    return;
  }
  const name = parseStep(run.step);
  if (!name) throw new FatalError(`run ${run.id} has the unknown step "${run.step}"`);
  switch (name.of) {
    case 'phase':
      return judgePhase(deps, unit, { spec: answered.spec, name, result });
    case 'task':
      return judgeTask(deps, unit, { ...answered, name });
    case 'verify':
      return judgeVerify(deps, unit, { ...answered, name });
    default:
      return assertNever(name, 'step');
  }
}

/** Why a stage of work did not succeed; null when it did. */
function failureOf(result: StepResult): string | null {
  if (result.kind === 'agent' && result.outcome === 'failed') return result.reason ?? 'the agent gave up';
  if (result.kind === 'push' && result.outcome === 'refused')
    return `the push was refused: ${result.message}`;
  return null;
}

async function judgeTask(
  deps: Deps,
  unit: Unit,
  answered: Answered & { name: Extract<StepName, { of: 'task' }> },
): Promise<void> {
  const { spec, result, name } = answered;
  // Refused on a second try, since the first had arrived and only its answer was lost: it is there.
  const pushed = result.kind === 'push' && arrived(answered);
  const failure = pushed ? null : failureOf(result);
  if (failure !== null) {
    await failTask(deps, unit, { spec, ordinal: name.ordinal, reason: failure });
    return startAfresh(deps, unit, answered);
  }
  const nothing =
    result.kind === 'commit' && result.empty && result.sha === (spec.checkpoint_sha ?? spec.base_sha);
  const done = (nothing && { sha: null }) || (pushed && { sha: spec.checkpoint_sha });
  if (done) await finishTask(deps, unit, { specId: spec.id, ordinal: name.ordinal, sha: done.sha });
}

/**
 * After a refused push the work tree stands on a commit that never arrived, or on a base that has moved: the next
 * attempt gets a new sandbox, which starts from what GitHub has.
 */
async function startAfresh(deps: Deps, unit: Unit, { run, result }: Answered): Promise<void> {
  if (result.kind !== 'push') return;
  await loseSandbox(deps, unit, { sandboxId: run.sandbox_id, reason: 'push_refused' });
}

/** The gateway's record counts, not the runner's word; a push that is not recorded is asked for again. */
function arrived({ spec, run }: Answered): boolean {
  return (
    (run.request as Step).kind === 'push' && (run.request as { sha: string }).sha === spec.checkpoint_sha
  );
}

async function failTask(
  deps: Deps,
  unit: Unit,
  failed: { spec: SpecRow; ordinal: number; reason: string },
): Promise<void> {
  const { spec, reason } = failed;
  const work = await loadWork(unit.trx, spec);
  const task = work.tasks.find(({ ordinal }) => ordinal === failed.ordinal);
  if (!task) throw new FatalError(`spec ${spec.id} has no task ${failed.ordinal}`);
  const taskAttempt = task.row.attempt;
  await updateTask(
    unit.trx,
    { specId: spec.id, ordinal: failed.ordinal },
    { attempt: taskAttempt + 1, feedback: reason },
  );
  const attemptsPerRound = settingsOf(spec).limits.attempts;
  await advance(deps, unit, {
    specId: spec.id,
    input: { type: 'task_failed', task: task.id, taskAttempt, reason, attemptsPerRound },
  });
}

async function judgeVerify(
  deps: Deps,
  unit: Unit,
  answered: Answered & { name: Extract<StepName, { of: 'verify' }> },
): Promise<void> {
  const { spec, result } = answered;
  const attemptsPerRound = settingsOf(spec).limits.attempts;
  const command = settingsOf(spec).verify;
  if (result.kind === 'command' && result.code === 0 && !result.timedOut) {
    await advance(deps, unit, { specId: spec.id, input: { type: 'verified', command } });
    return;
  }
  const reason = result.kind === 'command' ? endingOf(result, command) : failureOf(result);
  if (reason === null) return;
  await advance(deps, unit, {
    specId: spec.id,
    input: { type: 'verify_failed', reason, attemptsPerRound },
  });
  await startAfresh(deps, unit, answered);
}

function endingOf(result: Extract<StepResult, { kind: 'command' }>, command: string | null): string {
  return result.timedOut
    ? `\`${command}\` did not end in time.`
    : `\`${command}\` ended with exit code ${result.code}.`;
}
