import { listSpecEvents, type SpecEventRow } from '../../db/spec-events.ts';
import { findNewestSpec, type SpecRow } from '../../db/specs.ts';
import { listTasks, type TaskRow } from '../../db/tasks.ts';
import type { Stage } from './world.ts';

/** What the database says at one moment. */
export interface Progress {
  readonly spec: SpecRow;
  readonly events: readonly SpecEventRow[];
  readonly tasks: readonly TaskRow[];
}

/** Reads where the spec of an issue stands; null before there is one. */
export async function readProgress(stage: Stage, issue: number): Promise<Progress | null> {
  const { db } = stage.app.opened.deps;
  const spec = await findNewestSpec(db, stage.world.repo.id, issue);
  if (!spec) return null;
  const [events, tasks] = await Promise.all([
    listSpecEvents(db, spec.id, { after: 0, limit: 1000, type: null }),
    listTasks(db, spec.id),
  ]);
  return { spec, events, tasks };
}
