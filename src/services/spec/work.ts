import { readProject } from '../../db/accounts.ts';
import { listAccepted } from '../../db/artifacts.ts';
import type { SpecRow } from '../../db/specs.ts';
import { listTasks, type TaskRow } from '../../db/tasks.ts';
import type { Db, Trx } from '../../db/types.ts';
import type { WorkflowRule } from '../branches/paths.ts';
import { workflowRuleOf } from '../branches/workflows.ts';
import { defaultSettings, type Settings } from '../settings/schema.ts';
import type { Artifacts } from './phases/definition.ts';
import type { PlannedTask } from './plan.ts';
import type { SpecSettings } from './start.ts';

/** The settings that were frozen with the spec; what an older version did not know is as by default. */
export function settingsOf(spec: SpecRow): Settings {
  return { ...defaultSettings, ...(spec.settings as SpecSettings).settings };
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
  readonly workflows: WorkflowRule;
}

export async function loadWork(db: Db | Trx, spec: SpecRow): Promise<Work> {
  const accepted = await listAccepted(db, spec.id);
  const rows = await listTasks(db, spec.id);
  const project = await readProject(db, spec.repository_id);
  const settings = settingsOf(spec);
  return {
    spec,
    settings,
    artifacts: Object.fromEntries(accepted.map((row) => [row.phase, row.content])),
    hashes: accepted.map((row) => row.hash),
    tasks: rows.map((row) => ({ ...(row.content as PlannedTask), row })),
    repository: project ? `${project.owner}/${project.name}` : '',
    workflows: await workflowRuleOf(db, { settings, project }),
  };
}

/** Whether a spec's commits may change workflows, which GitHub asks a permission of its own for. */
export async function mayChangeWorkflows(db: Db | Trx, spec: SpecRow): Promise<boolean> {
  const settings = settingsOf(spec);
  if (!settings.workflows) return false;
  const project = await readProject(db, spec.repository_id);
  return (await workflowRuleOf(db, { settings, project })) === 'allowed';
}
