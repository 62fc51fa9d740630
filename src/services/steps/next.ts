/**
 * What the runner does next, read from the rows: phases, tasks, runs. Nothing is remembered between two calls.
 *
 * Race ledger
 * - The runner asks twice (its first answer was lost) → the open run is answered again.
 * - Another generation took over while this one was asking → the spec's lock orders them; the older one is stopped.
 * - The push of a commit was stored but its answer was not → the checkpoint says so, and the step is not given again.
 */
import { lastFailures } from '../../db/artifacts.ts';
import { findOpenRun, listDoneRuns, openRun } from '../../db/runs.ts';
import { lockSpec } from '../../db/specs.ts';
import type { NextStep, Step, StepResult } from '../../runner/protocol.ts';
import { apiInPhase } from '../credentials/phase-api.ts';
import type { Deps, Unit } from '../deps.ts';
import { advance } from '../spec/advance.ts';
import { attemptInRound } from '../spec/attempts.ts';
import { loadWork, type Work, type WorkTask } from '../spec/work.ts';
import * as build from './build.ts';
import { finishTask } from './finish-task.ts';
import { phaseStep, taskPrefix, verifyPrefix } from './names.ts';
import { stageOf } from './stage.ts';

export interface Asking {
  readonly sandboxId: string;
  readonly specId: string;
  readonly generation: number;
}

/** A step with the name under which its run is kept. */
interface Chosen {
  readonly name: string;
  readonly step: Step;
}

/** `again`: rows were changed without a step; look once more. */
type Choice = Chosen | 'again' | 'stop';

const PAUSE_MS = 1000;

/** Decides and records the next step in one transaction. */
export async function nextStep(deps: Deps, asking: Asking): Promise<NextStep> {
  return deps.db.transaction(async (trx) => {
    const unit: Unit = { trx, delivery: null };
    // Each round finishes a task or a phase, so the loop ends; the bound is against a mistake of ours.
    for (let round = 0; round < 1000; round += 1) {
      const answer = await tryNext(deps, unit, asking);
      if (answer !== 'again') return answer;
    }
    return { next: 'wait', waitMs: PAUSE_MS };
  });
}

async function tryNext(deps: Deps, unit: Unit, asking: Asking): Promise<NextStep | 'again'> {
  const spec = await lockSpec(unit.trx, asking.specId);
  if (!spec || spec.generation !== asking.generation) {
    return { next: 'stop', reason: 'another sandbox has taken over' };
  }
  if (spec.hold !== null) return { next: 'wait', waitMs: PAUSE_MS };
  const open = await findOpenRun(unit.trx, spec.id);
  if (open) return { next: 'step', step: open.request as Step };
  const api = await apiInPhase(deps, unit.trx, spec);
  const frame = { generation: asking.generation, agents: deps.agents, api };
  const choice = await choose(deps, unit, { work: await loadWork(unit.trx, spec), frame, asking });
  if (choice === 'again') return 'again';
  if (choice === 'stop') return { next: 'stop', reason: 'the work of this sandbox is over' };
  const { name, step } = choice;
  await openRun(unit.trx, {
    id: step.stepId,
    specId: spec.id,
    sandboxId: asking.sandboxId,
    step: name,
    request: step,
  });
  return { next: 'step', step };
}

interface Situation {
  readonly work: Work;
  readonly frame: build.StepFrame;
  readonly asking: Asking;
}

function choose(deps: Deps, unit: Unit, at: Situation): Promise<Choice> {
  const { status, phase } = at.work.spec;
  if (status === 'planning') return choosePlanning(unit, at);
  if (status === 'executing' && phase === 'execute') return chooseTask(deps, unit, at);
  if (status === 'executing' && phase === 'verify') return chooseVerify(deps, unit, at);
  return Promise.resolve('stop');
}

async function choosePlanning({ trx }: Unit, { work, frame }: Situation): Promise<Choice> {
  const { id, phase, attempt } = work.spec;
  const first = attemptInRound(work.spec) === 1;
  const failures = first ? [] : await lastFailures(trx, id, phase!);
  return { name: phaseStep(phase!, attempt), step: build.phaseAgentStep(work, frame, failures) };
}

async function chooseTask(deps: Deps, unit: Unit, at: Situation): Promise<Choice> {
  const { work } = at;
  const task = work.tasks.find((candidate) => candidate.row.state === 'pending');
  if (!task) {
    await advance(deps, unit, { specId: work.spec.id, input: { type: 'tasks_done' } });
    return 'again';
  }
  const prefix = taskPrefix(task.ordinal, keyAttempt(work, task));
  const stage = await stageAt(unit, at, prefix);
  switch (stage.at) {
    case 'agent':
      return { name: `${prefix}agent`, step: build.taskAgentStep(work, at.frame, task) };
    case 'commit':
      return { name: `${prefix}commit`, step: build.taskCommitStep(work, at.frame, task) };
    case 'push':
      return { name: `${prefix}push`, step: build.pushStep(work, at.frame, stage.sha) };
    case 'done':
      await finishTask(deps, unit, { specId: work.spec.id, ordinal: task.ordinal, sha: stage.sha });
      return 'again';
  }
}

/** A task's attempt over all rounds: a retry by a person must not find the runs of the round before. */
export function keyAttempt(work: Work, task: WorkTask): number {
  return (work.spec.round - 1) * 100 + task.row.attempt;
}

async function chooseVerify(deps: Deps, unit: Unit, at: Situation): Promise<Choice> {
  const { work, frame } = at;
  const command = work.settings.verify;
  if (command === null) {
    await advance(deps, unit, { specId: work.spec.id, input: { type: 'verified', command: null } });
    return 'again';
  }
  const { attempt } = work.spec;
  const prefix = verifyPrefix(attempt);
  const check: Choice = { name: `${prefix}command`, step: build.verifyCommandStep(work, frame, command) };
  if (attemptInRound(work.spec) === 1) return check;
  const stage = await stageAt(unit, at, prefix);
  switch (stage.at) {
    case 'agent':
      return chooseFix(unit, at, command);
    case 'commit':
      return { name: `${prefix}commit`, step: build.verifyCommitStep(work, frame) };
    case 'push':
      return { name: `${prefix}push`, step: build.pushStep(work, frame, stage.sha) };
    case 'done':
      return check;
  }
}

/** The agent mends what the last check found. */
async function chooseFix({ trx }: Unit, { work, frame }: Situation, command: string): Promise<Choice> {
  const before = work.spec.attempt - 1;
  const [run] = await listDoneRuns(trx, work.spec.id, `${verifyPrefix(before)}command`);
  const result = run?.result as Extract<StepResult, { kind: 'command' }> | undefined;
  const failed = {
    command,
    code: result?.code ?? 1,
    timedOut: result?.timedOut ?? false,
    outputTail: result?.outputTail ?? '',
  };
  const name = `${verifyPrefix(work.spec.attempt)}agent`;
  return { name, step: build.verifyFixStep(work, frame, failed) };
}

async function stageAt({ trx }: Unit, { work, asking }: Situation, prefix: string) {
  const runs = await listDoneRuns(trx, work.spec.id, prefix);
  return stageOf(runs, {
    prefix,
    sandboxId: asking.sandboxId,
    checkpointSha: work.spec.checkpoint_sha,
    baseSha: work.spec.base_sha!,
  });
}
