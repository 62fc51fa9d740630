import { type ProjectRow, readInstallationRow, readProject } from '../../db/accounts.ts';
import type { Db, Trx } from '../../db/types.ts';
import type { RepoRef } from '../../github/client.ts';

/** How GitHub's API names a project now. */
export function repoOf(project: ProjectRow): RepoRef {
  return {
    installationId: project.installation_id,
    repositoryId: project.repository_id,
    owner: project.owner,
    name: project.name,
  };
}

/** Whether the App may act on a repository, and if not, why. */
export type Reach =
  | { readonly kind: 'open'; readonly project: ProjectRow; readonly repo: RepoRef }
  | { readonly kind: 'paused'; readonly reason: string }
  | { readonly kind: 'shut'; readonly reason: string };

/** Asks our own tables only. */
export async function reachOf(db: Db | Trx, repositoryId: number): Promise<Reach> {
  const project = await readProject(db, repositoryId);
  if (!project) return { kind: 'shut', reason: 'the repository is not known' };
  if (project.deleted_at) return { kind: 'shut', reason: 'the repository was deleted' };
  if (project.removed_at) return { kind: 'shut', reason: 'the App was removed from the repository' };
  if (project.archived_at) return { kind: 'shut', reason: 'the repository is archived' };
  const installation = await readInstallationRow(db, project.installation_id);
  if (installation?.deleted_at) return { kind: 'shut', reason: 'the App was uninstalled' };
  if (installation?.suspended_at) return { kind: 'paused', reason: 'the installation is suspended' };
  return { kind: 'open', project, repo: repoOf(project) };
}
