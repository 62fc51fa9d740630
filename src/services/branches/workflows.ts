import { type ProjectRow, readInstallationRow } from '../../db/accounts.ts';
import type { Db, Trx } from '../../db/types.ts';
import type { Settings } from '../settings/schema.ts';
import type { WorkflowRule } from './paths.ts';

/** Whether specs of a project may change workflows: its settings say so, and the installation grants it, as recorded. */
export async function workflowRuleOf(
  db: Db | Trx,
  { settings, project }: { settings: Pick<Settings, 'workflows'>; project: ProjectRow | null },
): Promise<WorkflowRule> {
  if (!settings.workflows) return 'not_set';
  const installation = project && (await readInstallationRow(db, project.installation_id));
  return installation?.permissions.workflows === 'write' ? 'allowed' : 'not_granted';
}
