import { randomUUID } from 'node:crypto';
import type { ModelApi } from '../../agent/driver.ts';
import type { Step } from '../../runner/protocol.ts';
import { type Agents, agentFor } from '../agents/choose.ts';
import { checkpointRef, specFolder } from '../branches/name.ts';
import { changeType } from '../pulls/title.ts';
import type { AgentPhase } from '../settings/schema.ts';
import { attemptInRound } from '../spec/attempts.ts';
import { commitMessage } from '../spec/commit-message.ts';
import { renderSpecFiles } from '../spec/phases/files.ts';
import { definitionOf, outputSchemaOf } from '../spec/phases/registry.ts';
import type { PlanningPhase } from '../spec/states.ts';
import { taskPrompt, verifyFixPrompt } from '../spec/task-prompt.ts';
import type { Work, WorkTask } from '../spec/work.ts';

/** What every step of a sandbox shares. */
export interface StepFrame {
  readonly generation: number;
  readonly agents: Agents;
  /** In which a model is asked in this phase; null is the agent's own. */
  readonly api: ModelApi | null;
}

/** The App as author of commits; the requester is named in a trailer. */
const AUTHOR = { name: 'specwright[bot]', email: 'specwright[bot]@users.noreply.github.com' };

const MINUTE = 60_000;

function base(work: Work, frame: StepFrame) {
  return {
    stepId: randomUUID(),
    generation: frame.generation,
    phase: work.spec.phase!,
    timeoutMs: work.settings.limits.stepMinutes * MINUTE,
  };
}

/** Who works in this phase, as a step tells it. */
function agentIn({ spec, settings }: Work, { agents, api }: StepFrame) {
  const { driver, model: own, command } = agentFor(agents, settings, spec.phase as AgentPhase);
  const model = own && { ...own, api: api ?? own.api };
  return { driver, model, command, maxTurns: settings.limits.turns };
}

/** One attempt at a planning phase. */
export function phaseAgentStep(work: Work, frame: StepFrame, failures: readonly string[]): Step {
  const phase = work.spec.phase as PlanningPhase;
  const { spec, settings, artifacts, repository } = work;
  return {
    ...base(work, frame),
    kind: 'agent',
    ...agentIn(work, frame),
    subject: phase,
    attempt: attemptInRound(spec),
    prompt: definitionOf(phase).prompt({
      repository,
      baseBranch: spec.base_branch!,
      issue: { number: spec.issue_number, title: spec.title, body: spec.body },
      earlier: artifacts,
      failures,
      protectedPaths: settings.protectedPaths,
      workflows: work.workflows,
      verifyCommand: settings.verify,
    }),
    outputSchema: outputSchemaOf(phase),
    resetFirst: true,
  };
}

/** One attempt at a task. */
export function taskAgentStep(work: Work, frame: StepFrame, task: WorkTask): Step {
  return {
    ...base(work, frame),
    kind: 'agent',
    ...agentIn(work, frame),
    subject: task.id,
    attempt: task.row.attempt,
    prompt: taskPrompt({
      repository: work.repository,
      task,
      taskCount: work.tasks.length,
      artifacts: work.artifacts,
      failures: task.row.feedback === null ? [] : [task.row.feedback],
      protectedPaths: work.settings.protectedPaths,
      workflows: work.workflows,
      verifyCommand: work.settings.verify,
    }),
    outputSchema: null,
    resetFirst: true,
  };
}

/** The commit of a task; the first one brings the plan as files, where the repository wants them. */
export function taskCommitStep(work: Work, frame: StepFrame, task: WorkTask): Step {
  const { spec, settings } = work;
  const type = task.commitType ?? changeType({ type: spec.issue_type, labels: spec.issue_labels });
  const withFiles = settings.specFiles && task.ordinal === 1;
  return {
    ...base(work, frame),
    kind: 'commit',
    author: AUTHOR,
    files: withFiles ? renderSpecFiles(work.artifacts, specFolder(spec.id, spec.title)) : [],
    message: commitMessage({
      type,
      title: task.title,
      description: task.description,
      specId: spec.id,
      taskId: task.id,
      requirements: task.requirements,
      requester: { login: spec.requester_login, id: spec.requester_id },
    }),
  };
}

/** The repository's own check. Its text comes from the settings on the default branch and runs in the sandbox. */
export function verifyCommandStep(work: Work, frame: StepFrame, command: string): Step {
  return { ...base(work, frame), kind: 'command', argv: ['/bin/sh', '-c', command] };
}

/** What the failed check printed, to be mended. */
export function verifyFixStep(
  work: Work,
  frame: StepFrame,
  failed: { command: string; code: number; timedOut: boolean; outputTail: string },
): Step {
  return {
    ...base(work, frame),
    kind: 'agent',
    ...agentIn(work, frame),
    subject: 'verify',
    attempt: attemptInRound(work.spec) - 1,
    prompt: verifyFixPrompt({
      repository: work.repository,
      ...failed,
      tasks: work.tasks.map(({ id, title }) => ({ id, title })),
      protectedPaths: work.settings.protectedPaths,
      workflows: work.workflows,
    }),
    outputSchema: null,
    resetFirst: true,
  };
}

export function verifyCommitStep(work: Work, frame: StepFrame): Step {
  const { spec } = work;
  return {
    ...base(work, frame),
    kind: 'commit',
    author: AUTHOR,
    files: [],
    message: commitMessage({
      type: 'fix',
      title: 'make the checks pass',
      specId: spec.id,
      taskId: null,
      requirements: [],
      requester: { login: spec.requester_login, id: spec.requester_id },
    }),
  };
}

export function pushStep(work: Work, frame: StepFrame, sha: string): Step {
  return { ...base(work, frame), kind: 'push', ref: checkpointRef(work.spec.id), sha };
}
