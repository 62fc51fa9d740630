import { insertArtifact } from '../../db/artifacts.ts';
import type { SpecRow } from '../../db/specs.ts';
import { insertPlan } from '../../db/tasks.ts';
import type { StepResult } from '../../runner/protocol.ts';
import type { Deps, Unit } from '../deps.ts';
import { advance } from '../spec/advance.ts';
import type { Artifacts } from '../spec/phases/definition.ts';
import { artifactHash } from '../spec/phases/hash.ts';
import { checkOutput, definitionOf } from '../spec/phases/registry.ts';
import { buildPlan } from '../spec/plan.ts';
import type { PlanningPhase } from '../spec/states.ts';
import { loadWork, type Work } from '../spec/work.ts';

interface Answer {
  readonly spec: SpecRow;
  readonly name: { readonly phase: string; readonly attempt: number };
  readonly result: StepResult;
}

/** Accepts a phase's output, or refuses it with the failures that the next attempt is told. */
export async function judgePhase(deps: Deps, unit: Unit, answer: Answer): Promise<void> {
  const { spec, result } = answer;
  const phase = answer.name.phase as PlanningPhase;
  const work = await loadWork(unit.trx, spec);
  const checked = check(work, phase, result);
  if (checked.ok)
    return accept(deps, unit, { work, phase, attempt: answer.name.attempt, artifact: checked.artifact });
  const output = result.kind === 'agent' ? (result.output ?? null) : null;
  await store(unit, work, {
    phase,
    attempt: answer.name.attempt,
    content: output,
    failures: checked.failures,
  });
  await advance(deps, unit, {
    specId: spec.id,
    input: {
      type: 'phase_rejected',
      phase,
      attempt: answer.name.attempt,
      failures: checked.failures,
      attemptsPerRound: work.settings.limits.attempts,
    },
  });
}

type Checked = { ok: true; artifact: unknown } | { ok: false; failures: string[] };

function check(work: Work, phase: PlanningPhase, result: StepResult): Checked {
  if (result.kind !== 'agent') return { ok: false, failures: ['The runner answered another step.'] };
  if (result.outcome === 'failed') return { ok: false, failures: [result.reason ?? 'The agent gave up.'] };
  const { artifacts, workflows } = work;
  const { protectedPaths, limits } = work.settings;
  const context = { ...artifacts, protectedPaths, workflows, maxTasks: limits.tasks };
  return checkOutput(phase, result.output, context);
}

async function accept(
  deps: Deps,
  unit: Unit,
  accepted: { work: Work; phase: PlanningPhase; attempt: number; artifact: unknown },
): Promise<void> {
  const { work, phase, attempt, artifact } = accepted;
  const hash = await store(unit, work, { phase, attempt, content: artifact, failures: null });
  if (phase === 'sync')
    await storePlan(unit, { ...work.artifacts, sync: artifact } as Artifacts, work.spec.id);
  // The settings know only "none" so far, so no plan waits for an approval.
  const needsApproval = (work.settings.approval as string) !== 'none';
  await advance(deps, unit, {
    specId: work.spec.id,
    input: { type: 'phase_accepted', phase, attempt, hash, needsApproval },
  });
}

async function store(
  unit: Unit,
  work: Work,
  output: { phase: PlanningPhase; attempt: number; content: unknown; failures: string[] | null },
): Promise<string> {
  const { phase, attempt, content, failures } = output;
  const { schemaVersion } = definitionOf(phase);
  const hash = artifactHash({
    phase,
    schemaVersion,
    artifact: content ?? null,
    approvedPredecessorHashes: work.hashes,
    frozenHash: work.spec.frozen_hash,
  });
  await insertArtifact(unit.trx, {
    spec_id: work.spec.id,
    phase,
    attempt,
    schema_version: schemaVersion,
    content,
    hash,
    failures: failures ?? [],
    accepted: failures === null,
  });
  return hash;
}

async function storePlan(unit: Unit, artifacts: Artifacts, specId: string): Promise<void> {
  const plan = buildPlan(artifacts.tasks!, artifacts.sync!);
  await insertPlan(unit.trx, specId, {
    tickets: plan.tickets.map(({ id, ordinal, title, description }) => ({ id, ordinal, title, description })),
    tasks: plan.tasks.map((task) => ({
      id: task.id,
      ordinal: task.ordinal,
      ticketId: task.ticketId,
      title: task.title,
      dependsOn: task.dependsOn,
      content: task,
    })),
  });
}
