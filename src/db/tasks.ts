import type { Db, Trx } from './types.ts';

export interface TaskRow {
  spec_id: string;
  ordinal: number;
  id: string;
  ticket_id: string;
  title: string;
  content: unknown;
  state: 'pending' | 'done' | 'closed';
  attempt: number;
  feedback: string | null;
  commit_sha: string | null;
  done_at: Date | null;
}

export interface NewPlan {
  readonly tickets: readonly { id: string; ordinal: number; title: string; description: string }[];
  readonly tasks: readonly {
    id: string;
    ordinal: number;
    ticketId: string;
    title: string;
    dependsOn: readonly number[];
    content: object;
  }[];
}

/** Writes tickets, tasks and dependencies of a plan; the keys refuse a second plan of the same spec. */
export async function insertPlan(trx: Trx, specId: string, plan: NewPlan): Promise<void> {
  await trx('tickets').insert(plan.tickets.map((ticket) => ({ spec_id: specId, ...ticket })));
  await trx('tasks').insert(
    plan.tasks.map((task) => ({
      spec_id: specId,
      ordinal: task.ordinal,
      id: task.id,
      ticket_id: task.ticketId,
      title: task.title,
      content: JSON.stringify(task.content),
    })),
  );
  const edges = plan.tasks.flatMap((task) =>
    task.dependsOn.map((on) => ({ spec_id: specId, ordinal: task.ordinal, depends_on: on })),
  );
  if (edges.length > 0) await trx('task_dependencies').insert(edges);
}

export async function listTasks(db: Db | Trx, specId: string): Promise<TaskRow[]> {
  return db('tasks').where({ spec_id: specId }).orderBy('ordinal');
}

export async function updateTask(
  trx: Trx,
  task: { specId: string; ordinal: number },
  patch: Partial<Pick<TaskRow, 'state' | 'attempt' | 'feedback' | 'commit_sha'>>,
): Promise<void> {
  const done = patch.state === 'done' ? { done_at: trx.raw('specwright_now()') } : {};
  await trx('tasks')
    .where({ spec_id: task.specId, ordinal: task.ordinal })
    .update({ ...patch, ...done });
}

/** Gives every unfinished task all its attempts again. */
export async function resetPendingTasks(trx: Trx, specId: string): Promise<void> {
  await trx('tasks').where({ spec_id: specId, state: 'pending' }).update({ attempt: 1, feedback: null });
}

/** Marks a ticket done once all its tasks are. */
export async function settleTickets(trx: Trx, specId: string): Promise<void> {
  await trx.raw(
    `update tickets set state = 'done' where spec_id = ? and not exists (
       select 1 from tasks where tasks.spec_id = tickets.spec_id and tasks.ticket_id = tickets.id
         and tasks.state = 'pending')`,
    [specId],
  );
}

/** The spec has ended: nothing of its plan stays open. */
export async function closePlan(trx: Trx, specId: string): Promise<void> {
  await trx('tasks').where({ spec_id: specId, state: 'pending' }).update({ state: 'closed' });
  await trx('tickets').where({ spec_id: specId, state: 'open' }).update({ state: 'done' });
}
