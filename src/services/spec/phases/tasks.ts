import { z } from 'zod';
import { type PathRules, pathProblem } from '../../branches/paths.ts';
import { code, inline, prose } from '../../markdown/markdown.ts';
import { type GateContext, type PhaseDefinition, required } from './definition.ts';
import { filePath, line, requirementId, taskId, text, ticketId } from './fields.ts';
import { framePrompt } from './frame.ts';
import { duplicatesOf, findCycle, unknownOf } from './graph.ts';
import { joinSections, section } from './markdown.ts';

/** Types of conventional commits that a task may choose from. */
const commitTypes = [
  'feat',
  'fix',
  'docs',
  'refactor',
  'perf',
  'test',
  'build',
  'ci',
  'style',
  'chore',
] as const;

const schema = z.object({
  tickets: z
    .array(
      z.object({
        id: ticketId,
        title: line('what a person would call this part', 120),
        description: text('what it gives', 3000),
        requirements: z.array(requirementId).min(1).max(40),
      }),
    )
    .min(1)
    .max(20),
  tasks: z
    .array(
      z.object({
        id: taskId,
        ticket: ticketId,
        title: line('imperative, as the subject of a commit', 120),
        description: text(
          'what to change and how to know that it is right; the agent sees this and the design',
          4000,
        ),
        files: z
          .array(z.object({ path: filePath, change: z.enum(['create', 'modify', 'delete']) }))
          .min(1)
          .max(40),
        dependsOn: z.array(taskId).max(200).describe('tasks whose commits this one needs'),
        requirements: z.array(requirementId).min(1).max(40).describe('the requirements that it serves'),
        test: z.object({
          description: line('how this task is tested', 1000),
          file: filePath.nullable().describe('the test file, or null where no test can be written'),
        }),
        commitType: z
          .enum(commitTypes)
          .nullable()
          .describe('type of its commit, or null for that of the whole change'),
      }),
    )
    .min(1)
    .max(200),
});

export type TasksArtifact = z.infer<typeof schema>;
export type Task = TasksArtifact['tasks'][number];

const INSTRUCTIONS = `Cut the design into tickets, and each ticket into tasks. A task is one commit by one agent that sees the repository,
this task and the design: small, complete in itself, with its test, and leaving all tests passing. Name the files that it
creates, modifies or deletes, the tasks that it needs, and the requirements that it serves. Every requirement is served by
at least one task.`;

export const tasks: PhaseDefinition<'tasks'> = {
  name: 'tasks',
  schemaVersion: 1,
  schema,
  prompt: (input) =>
    framePrompt(
      { name: 'tasks', schema, instructions: INSTRUCTIONS, needs: ['explore', 'requirements', 'design'] },
      input,
    ),
  gate: (artifact, context) => [
    ...tooMany(artifact, context),
    ...duplicates(artifact),
    ...ticketFailures(artifact, context),
    ...taskFailures(artifact, context),
    ...cycleFailures(artifact),
    ...uncovered(artifact, context),
  ],
  render: (artifact) => joinSections(artifact.tickets.flatMap((ticket) => renderTicket(ticket, artifact))),
};

function tooMany(artifact: TasksArtifact, { maxTasks }: GateContext): string[] {
  if (maxTasks === undefined || artifact.tasks.length <= maxTasks) return [];
  return [`The plan has ${artifact.tasks.length} tasks, more than the ${maxTasks} that the settings allow.`];
}

function duplicates(artifact: TasksArtifact): string[] {
  return [
    ...duplicatesOf(artifact.tickets.map(({ id }) => id)).map(
      (id) => `The ticket id ${id} is used more than once.`,
    ),
    ...duplicatesOf(artifact.tasks.map(({ id }) => id)).map(
      (id) => `The task id ${id} is used more than once.`,
    ),
  ];
}

function knownRequirements(context: GateContext): Set<string> {
  return new Set(required(context, 'requirements').requirements.map(({ id }) => id));
}

function ticketFailures(artifact: TasksArtifact, context: GateContext): string[] {
  const known = knownRequirements(context);
  const used = new Set(artifact.tasks.map((task) => task.ticket));
  return artifact.tickets.flatMap((ticket) => [
    ...unknownOf(ticket.requirements, known).map(
      (id) => `${ticket.id} names ${id}, which is no requirement.`,
    ),
    ...(used.has(ticket.id) ? [] : [`${ticket.id} has no task.`]),
  ]);
}

function taskFailures(artifact: TasksArtifact, context: GateContext): string[] {
  const known = knownRequirements(context);
  const tickets = new Set(artifact.tickets.map(({ id }) => id));
  const ids = new Set(artifact.tasks.map(({ id }) => id));
  return artifact.tasks.flatMap((task) => [
    ...(tickets.has(task.ticket) ? [] : [`${task.id} belongs to ${task.ticket}, which is no ticket.`]),
    ...unknownOf(task.requirements, known).map((id) => `${task.id} serves ${id}, which is no requirement.`),
    ...unknownOf(task.dependsOn, ids).map((id) => `${task.id} depends on ${id}, which is no task.`),
    ...fileFailures(task, context),
  ]);
}

function fileFailures(task: Task, rules: PathRules): string[] {
  const paths = task.files.map(({ path }) => path);
  return [
    ...duplicatesOf(paths).map((path) => `${task.id} names the file ${JSON.stringify(path)} twice.`),
    ...[...new Set([...paths, ...(task.test.file === null ? [] : [task.test.file])])].flatMap((path) => {
      const problem = pathProblem(path, rules);
      return problem ? [`${task.id} names the file ${JSON.stringify(path)}, which ${problem}.`] : [];
    }),
  ];
}

function cycleFailures(artifact: TasksArtifact): string[] {
  const cycle = findCycle(artifact.tasks);
  return cycle ? [`The tasks depend on each other in a circle: ${cycle.join(' → ')}.`] : [];
}

function uncovered(artifact: TasksArtifact, context: GateContext): string[] {
  const served = new Set(artifact.tasks.flatMap((task) => task.requirements));
  return unknownOf(knownRequirements(context), served).map((id) => `${id} is served by no task.`);
}

function renderTicket(ticket: TasksArtifact['tickets'][number], artifact: TasksArtifact): string[] {
  const own = artifact.tasks.filter((task) => task.ticket === ticket.id);
  return section(
    `${ticket.id}: ${inline(ticket.title)}`,
    [
      prose(ticket.description, 3000),
      `_Requirements: ${ticket.requirements.join(', ')}_`,
      ...own.map(renderTask),
    ].join('\n\n'),
  );
}

function renderTask(task: Task): string {
  const after = task.dependsOn.length > 0 ? `, after ${task.dependsOn.join(', ')}` : '';
  const test = task.test.file === null ? '' : ` (${code(task.test.file)})`;
  return [
    `#### ${task.id}: ${inline(task.title)}`,
    prose(task.description, 4000),
    [
      ...task.files.map((file) => `- ${file.change} ${code(file.path)}`),
      `- test: ${inline(task.test.description, 1000)}${test}`,
      `- serves ${task.requirements.join(', ')}${after}`,
    ].join('\n'),
  ].join('\n\n');
}
