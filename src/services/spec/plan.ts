import { FatalError } from '../../errors.ts';
import { topologicalOrder } from './phases/graph.ts';
import type { SyncArtifact } from './phases/sync.ts';
import type { Task, TasksArtifact } from './phases/tasks.ts';

export interface PlannedTicket {
  /** 1, 2, 3 … */
  readonly ordinal: number;
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly requirements: readonly string[];
}

export interface PlannedTask {
  /** 1, 2, 3 … in the order of execution. */
  readonly ordinal: number;
  readonly id: string;
  readonly ticketId: string;
  readonly title: string;
  readonly description: string;
  readonly files: Task['files'];
  readonly requirements: readonly string[];
  readonly test: Task['test'];
  readonly commitType: Task['commitType'];
  /** Ordinals of the tasks that come first. */
  readonly dependsOn: readonly number[];
}

export interface Plan {
  readonly tickets: readonly PlannedTicket[];
  readonly tasks: readonly PlannedTask[];
}

/**
 * The plan that is carried out: every task behind its dependencies, and otherwise in the order that sync gave.
 * @throws FatalError when the tasks have no such order, which the gates rule out.
 */
export function buildPlan(tasks: TasksArtifact, sync: SyncArtifact): Plan {
  const wanted = new Map(sync.order.map((id, index) => [id, index]));
  const place = (task: Task) => wanted.get(task.id) ?? Number.POSITIVE_INFINITY;
  const sorted = tasks.tasks.toSorted((a, b) => Math.sign(place(a) - place(b)) || 0);
  const order = topologicalOrder(sorted);
  if (!order) throw new FatalError('the tasks of a plan depend on each other in a circle');
  const ordinals = new Map(order.map((task, index) => [task.id, index + 1]));
  return {
    tickets: tasks.tickets.map((ticket, index) => ({ ordinal: index + 1, ...ticket })),
    tasks: order.map(({ ticket, dependsOn, ...task }, index) => ({
      ordinal: index + 1,
      ...task,
      ticketId: ticket,
      dependsOn: [...new Set(dependsOn.flatMap((id) => ordinals.get(id) ?? []))].sort((a, b) => a - b),
    })),
  };
}
