import type { Edit, Play, Script } from '../../agent/script.ts';
import type { ArtifactRow } from '../../db/artifacts.ts';
import type { TaskRow } from '../../db/tasks.ts';
import type { PlannedTask } from '../../services/spec/plan.ts';

/** Phases with an output of their own; the others work on the tree. */
const planning: ReadonlySet<string> = new Set(['explore', 'requirements', 'design', 'tasks', 'sync']);

/**
 * What a scripted agent plays to do a recorded spec again: each phase gives what it gave then, refused attempts
 * included. What tasks wrote is not recorded, so each adds a line to every file that its plan names.
 */
export function scriptOf(artifacts: readonly ArtifactRow[], tasks: readonly TaskRow[]): Script {
  const phases: Record<string, Play[]> = {};
  for (const { phase, content } of artifacts.filter((row) => planning.has(row.phase)))
    phases[phase] = [...(phases[phase] ?? []), { output: content }];
  return { phases, tasks: Object.fromEntries(tasks.map((task) => [task.id, { edits: editsOf(task) }])) };
}

/** A file that a task would delete is not there to be deleted. */
function editsOf({ id, title, content }: TaskRow): Edit[] {
  const { files } = content as PlannedTask;
  const written = files.filter(({ change }) => change !== 'delete').map(({ path }) => path);
  const paths = written.length > 0 ? written : [`${id}.md`];
  return paths.map((path) => ({ path, append: `${id}: ${title}\n` }));
}
