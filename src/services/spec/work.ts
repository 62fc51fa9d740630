import { readProject } from '../../db/accounts.ts';
import { listAccepted } from '../../db/artifacts.ts';
import type { SpecRow } from '../../db/specs.ts';
import { listTasks, type TaskRow } from '../../db/tasks.ts';
import type { Db, Trx } from '../../db/types.ts';
import type { Settings } from '../settings/schema.ts';
import type { Artifacts } from './phases/definition.ts';
import type { PlannedTask } from './plan.ts';
import type { SpecSettings } from './start.ts';

/** The settings that were frozen with the spec. */
export function settingsOf(spec: SpecRow): Settings {
  return (spec.settings as SpecSettings).settings;
}

/** A task of the plan with where it stands. */
export interface WorkTask extends PlannedTask {
  readonly row: TaskRow;
}

/** A spec with what its planning gave so far. */
export interface Work {
  readonly spec: SpecRow;
  readonly settings: Settings;
  readonly artifacts: Artifacts;
  /** Hashes of the accepted artifacts, in their order. */
  readonly hashes: readonly string[];
  readonly tasks: readonly WorkTask[];
  /** "owner/name" of today. */
  readonly repository: string;
}

export async function loadWork(db: Db | Trx, spec: SpecRow): Promise<Work> {
  const accepted = await listAccepted(db, spec.id);
  const rows = await listTasks(db, spec.id);
  const project = await readProject(db, spec.repository_id);
  return {
    spec,
    settings: settingsOf(spec),
    artifacts: Object.fromEntries(accepted.map((row) => [row.phase, row.content])),
    hashes: accepted.map((row) => row.hash),
    tasks: rows.map((row) => ({ ...(row.content as PlannedTask), row })),
    repository: project ? `${project.owner}/${project.name}` : '',
  };
}
