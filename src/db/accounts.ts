import type { Db, Trx } from './types.ts';

export interface InstallationRow {
  id: number;
  account_id: number;
  account_login: string;
  account_type: string;
  permissions: Record<string, string>;
  settings: Record<string, unknown>;
  suspended_at: Date | null;
  deleted_at: Date | null;
}

export interface ProjectRow {
  repository_id: number;
  installation_id: number;
  owner: string;
  name: string;
  default_branch: string;
  private: boolean;
  archived_at: Date | null;
  removed_at: Date | null;
  deleted_at: Date | null;
}

/** Writes what GitHub last said about an installation; being installed again undoes an earlier end. */
export async function upsertInstallation(
  trx: Trx,
  row: Pick<InstallationRow, 'id' | 'account_id' | 'account_login' | 'account_type'> & {
    permissions?: Record<string, string>;
    suspended: boolean;
  },
): Promise<void> {
  const { permissions, suspended, ...identity } = row;
  const now = trx.raw('specwright_now()');
  const state = { suspended_at: suspended ? now : null, deleted_at: null, updated_at: now };
  const known = permissions ? { permissions: JSON.stringify(permissions) } : {};
  await trx('installations')
    .insert({ ...identity, ...known, ...state })
    .onConflict('id')
    .merge({ ...identity, ...known, ...state });
}

export async function readInstallationRow(db: Db | Trx, id: number): Promise<InstallationRow | null> {
  return (await db('installations').where({ id }).first()) ?? null;
}

export async function markInstallation(
  trx: Trx,
  id: number,
  mark: { suspended?: boolean; deleted?: boolean },
): Promise<void> {
  const now = trx.raw('specwright_now()');
  await trx('installations')
    .where({ id })
    .update({
      ...(mark.suspended === undefined ? {} : { suspended_at: mark.suspended ? now : null }),
      ...(mark.deleted ? { deleted_at: now } : {}),
      updated_at: now,
    });
}

export async function renameInstallationAccount(
  trx: Trx,
  account: { id: number; login: string },
): Promise<void> {
  await trx('installations').where({ account_id: account.id }).update({ account_login: account.login });
}

/** Every project of an account gets the account's new name. */
export async function renameOwner(trx: Trx, installationId: number, owner: string): Promise<void> {
  await trx('projects').where({ installation_id: installationId }).update({ owner });
}

/** Writes what a payload says about a repository. The numeric id is the identity; names follow. */
export async function upsertProject(
  trx: Trx,
  row: Pick<ProjectRow, 'repository_id' | 'installation_id' | 'owner' | 'name'> &
    Partial<Pick<ProjectRow, 'default_branch' | 'private'>> & { archived?: boolean },
): Promise<ProjectRow> {
  const { archived, ...facts } = row;
  const now = trx.raw('specwright_now()');
  const marks = archived === undefined ? {} : { archived_at: archived ? now : null };
  const rows = await trx('projects')
    .insert({ ...facts, ...marks })
    .onConflict('repository_id')
    .merge({ ...facts, ...marks, removed_at: null, deleted_at: null, updated_at: now })
    .returning('*');
  return rows[0]!;
}

export async function readProject(db: Db | Trx, repositoryId: number): Promise<ProjectRow | null> {
  return (await db('projects').where({ repository_id: repositoryId }).first()) ?? null;
}

export async function markProjectDeleted(trx: Trx, repositoryId: number): Promise<void> {
  await trx('projects')
    .where({ repository_id: repositoryId })
    .update({ deleted_at: trx.raw('specwright_now()') });
}

/**
 * Takes a repository out of an installation; false when another one has it now. A transfer tells both installations,
 * in either order and at once, so one statement looks and marks.
 */
export async function markProjectRemoved(
  trx: Trx,
  from: { repositoryId: number; installationId: number },
): Promise<boolean> {
  const changed = await trx('projects')
    .where({ repository_id: from.repositoryId, installation_id: from.installationId })
    .update({ removed_at: trx.raw('specwright_now()') });
  return changed === 1;
}

export async function markProjectsRemoved(trx: Trx, installationId: number): Promise<void> {
  await trx('projects')
    .where({ installation_id: installationId })
    .update({ removed_at: trx.raw('specwright_now()') });
}

/** The organisation's `.github` repository, where the App is installed on it. */
export async function findOrganizationProject(db: Db, installationId: number): Promise<ProjectRow | null> {
  return (
    (await db('projects')
      .where({ installation_id: installationId, name: '.github' })
      .whereNull('removed_at')
      .whereNull('deleted_at')
      .first()) ?? null
  );
}
