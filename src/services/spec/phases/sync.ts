import { z } from 'zod';
import { prose } from '../../markdown/markdown.ts';
import { type PhaseDefinition, required } from './definition.ts';
import { lines, requirementId, taskId, text } from './fields.ts';
import { framePrompt } from './frame.ts';
import { duplicatesOf, unknownOf } from './graph.ts';
import { joinSections, listSection, section } from './markdown.ts';
import type { Task } from './tasks.ts';

const schema = z.object({
  summary: text('the whole plan in a few sentences, for the person who asked', 3000),
  coverage: z
    .array(z.object({ requirement: requirementId, tasks: z.array(taskId).max(200) }))
    .max(40)
    .describe('every requirement with all the tasks that serve it'),
  order: z.array(taskId).max(200).describe('every task once, each behind the tasks that it depends on'),
  readyForExecution: z.boolean().describe('false when the plan must not be carried out as it is'),
  blockers: lines('what has to be settled first; empty when ready'),
});

export type SyncArtifact = z.infer<typeof schema>;

const INSTRUCTIONS = `Check the plan as a whole: is every requirement served, does every task follow from the design, is nothing asked for
twice or left out? Give the coverage and an order in which the tasks can be carried out. Set readyForExecution to false and
name the blockers where the plan should not be carried out as it is; do not call it ready to be done with it.`;

export const sync: PhaseDefinition<'sync'> = {
  name: 'sync',
  schemaVersion: 1,
  schema,
  prompt: (input) =>
    framePrompt(
      { name: 'sync', schema, instructions: INSTRUCTIONS, needs: ['requirements', 'design', 'tasks'] },
      input,
    ),
  gate(artifact, context) {
    const plan = required(context, 'tasks').tasks;
    const ids = required(context, 'requirements').requirements.map(({ id }) => id);
    return [
      ...coverageFailures(artifact, plan, ids),
      ...orderFailures(artifact, plan),
      ...readiness(artifact),
    ];
  },
  render: (artifact) =>
    joinSections([
      ...section('Summary', prose(artifact.summary, 3000)),
      ...section('Coverage', renderCoverage(artifact)),
      ...section('Order', artifact.order.join(' → ')),
      ...section('Ready', artifact.readyForExecution ? 'Yes, the plan can be carried out.' : 'No.'),
      ...listSection('Blockers', artifact.blockers),
    ]),
};

function coverageFailures(artifact: SyncArtifact, plan: readonly Task[], ids: readonly string[]): string[] {
  const known = new Set(ids);
  const listed = artifact.coverage.map((row) => row.requirement);
  return [
    ...duplicatesOf(listed).map((id) => `The coverage lists ${id} more than once.`),
    ...unknownOf(listed, known).map((id) => `The coverage lists ${id}, which is no requirement.`),
    ...unknownOf(ids, new Set(listed)).map((id) => `The coverage leaves out ${id}.`),
    ...artifact.coverage.filter((row) => known.has(row.requirement)).flatMap((row) => rowFailures(row, plan)),
  ];
}

function rowFailures(row: SyncArtifact['coverage'][number], plan: readonly Task[]): string[] {
  const known = new Set(plan.map(({ id }) => id));
  const serving = plan.filter((task) => task.requirements.includes(row.requirement)).map(({ id }) => id);
  const unknown = unknownOf(row.tasks, known);
  return [
    ...(row.tasks.length === 0 ? [`${row.requirement} is covered by no task.`] : []),
    ...unknown.map((id) => `The coverage of ${row.requirement} names ${id}, which is no task.`),
    ...unknownOf(row.tasks, new Set([...serving, ...unknown])).map(
      (id) => `The coverage of ${row.requirement} names ${id}, which by the tasks does not serve it.`,
    ),
    ...unknownOf(serving, new Set(row.tasks)).map(
      (id) => `The coverage of ${row.requirement} leaves out ${id}, which by the tasks serves it.`,
    ),
  ];
}

function orderFailures(artifact: SyncArtifact, plan: readonly Task[]): string[] {
  const position = new Map(artifact.order.map((id, index) => [id, index]));
  const ids = plan.map(({ id }) => id);
  return [
    ...duplicatesOf(artifact.order).map((id) => `The order names ${id} more than once.`),
    ...unknownOf(artifact.order, new Set(ids)).map((id) => `The order names ${id}, which is no task.`),
    ...unknownOf(ids, new Set(artifact.order)).map((id) => `The order leaves out ${id}.`),
    ...plan.flatMap((task) =>
      task.dependsOn
        .filter((id) => (position.get(id) ?? -1) > (position.get(task.id) ?? Number.POSITIVE_INFINITY))
        .map((id) => `The order puts ${task.id} before ${id}, on which it depends.`),
    ),
  ];
}

function readiness(artifact: SyncArtifact): string[] {
  return [
    ...(artifact.readyForExecution ? [] : ['The plan says of itself that it is not ready for execution.']),
    ...artifact.blockers.map((blocker) => `The plan names a blocker: ${blocker}`),
  ];
}

function renderCoverage(artifact: SyncArtifact): string {
  if (artifact.coverage.length === 0) return '';
  const rows = artifact.coverage.map((row) => `| ${row.requirement} | ${row.tasks.join(', ')} |`);
  return ['| Requirement | Tasks |', '| --- | --- |', ...rows].join('\n');
}
