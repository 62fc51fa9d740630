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

/**
 * Writes what GitHub said about an installation; false when something newer is known, or its end at that time: late
 * events change nothing. An event without a time counts as new.
 */
export async function upsertInstallation(
  trx: Trx,
  row: Pick<InstallationRow, 'id' | 'account_id' | 'account_login' | 'account_type'> & {
    permissions?: Record<string, string>;
    suspended: boolean;
    described_at: Date | null;
  },
): Promise<boolean> {
  const { permissions, suspended, ...facts } = row;
  const now = trx.raw('specwright_now()');
  const known = permissions ? { permissions: JSON.stringify(permissions) } : {};
  const state = { ...known, suspended_at: suspended ? now : null, deleted_at: null, updated_at: now };
  const written = await trx('installations')
    .insert({ ...facts, ...state })
    .onConflict('id')
    .merge({ ...facts, ...state })
    .whereRaw(notOlder('installations'), { at: facts.described_at })
    .returning('id');
  return written.length > 0;
}

/** Of two events of the same second either may be the later one, but nothing is undone by an event of its own time. */
function notOlder(table: string): string {
  return `(${table}.described_at is null or :at::timestamptz is null or ${table}.described_at < :at
    or (${table}.described_at = :at and ${table}.deleted_at is null))`;
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

/**
 * Whoever puts a repository into an installation and whoever ends that installation wait for each other, so that the
 * end finds every repository, or is found: the installation's own row may be missing.
 */
async function besideTheEnd(trx: Trx, installationId: number, share: '_shared' | ''): Promise<void> {
  await trx.raw(`select pg_advisory_xact_lock${share}(hashtextextended('installation ' || ?::text, 0))`, [
    installationId,
  ]);
}

/**
 * Writes what a payload says about a repository, unless something newer is known, or its end at that time. The numeric
 * id is the identity; names follow. `reached`: GitHub answered for it a moment ago; otherwise one that was taken out of
 * the installation stays out, since its events may come late.
 */
export async function upsertProject(
  trx: Trx,
  row: Pick<ProjectRow, 'repository_id' | 'installation_id' | 'owner' | 'name'> &
    Partial<Pick<ProjectRow, 'default_branch' | 'private'>> & {
      archived?: boolean;
      described_at: Date | null;
      reached?: boolean;
    },
): Promise<boolean> {
  const { archived, reached = false, ...facts } = row;
  const now = trx.raw('specwright_now()');
  await besideTheEnd(trx, facts.installation_id, '_shared');
  // An event that comes after the end of its installation says nothing against that end.
  const over = trx.raw('(select deleted_at from installations where id = ?)', [facts.installation_id]);
  const marks = {
    ...(archived === undefined ? {} : { archived_at: archived ? now : null }),
    removed_at: over,
  };
  const removed = trx.raw(
    `case when projects.installation_id = excluded.installation_id then coalesce(projects.removed_at, excluded.removed_at)
       else excluded.removed_at end`,
  );
  const written = await trx('projects')
    .insert({ ...facts, ...marks })
    .onConflict('repository_id')
    .merge({
      ...facts,
      ...marks,
      removed_at: reached ? over : removed,
      deleted_at: null,
      updated_at: now,
    })
    .whereRaw(notOlder('projects'), { at: facts.described_at })
    .returning('repository_id');
  return written.length > 0;
}

/** Puts a repository into an installation. Lists of repositories carry no time: what is known of it stays. */
export async function addProject(
  trx: Trx,
  row: Pick<ProjectRow, 'repository_id' | 'installation_id' | 'owner' | 'name' | 'private'>,
): Promise<void> {
  const { repository_id: _, installation_id, ...facts } = row;
  const kept = Object.keys(facts).map((name) => [
    name,
    trx.raw('case when projects.described_at is null then excluded.?? else projects.?? end', [name, name]),
  ]);
  await trx('projects')
    .insert(row)
    .onConflict('repository_id')
    .merge({
      ...Object.fromEntries(kept),
      installation_id,
      removed_at: null,
      updated_at: trx.raw('specwright_now()'),
    });
}

export async function readProject(db: Db | Trx, repositoryId: number): Promise<ProjectRow | null> {
  return (await db('projects').where({ repository_id: repositoryId }).first()) ?? null;
}

export async function markProjectDeleted(trx: Trx, repositoryId: number): Promise<void> {
  await trx('projects')
    .where({ repository_id: repositoryId })
    .update({ deleted_at: trx.raw('specwright_now()') });
}

/** Reads a project and keeps everybody else from changing it until the transaction ends. */
export async function lockProject(trx: Trx, repositoryId: number): Promise<ProjectRow | null> {
  return (await trx('projects').where({ repository_id: repositoryId }).forUpdate().first()) ?? null;
}

/** Puts a known repository into an installation, under the name it has there; its live specs go along. */
export async function moveProject(
  trx: Trx,
  repositoryId: number,
  to: Pick<ProjectRow, 'installation_id'> & Partial<Pick<ProjectRow, 'owner' | 'name'>>,
): Promise<void> {
  const updated_at = trx.raw('specwright_now()');
  await trx('projects')
    .where({ repository_id: repositoryId })
    .update({ ...to, removed_at: null, updated_at });
  await trx('specs')
    .where({ repository_id: repositoryId })
    .whereNull('ended_at')
    .whereNot({ installation_id: to.installation_id })
    .update({ installation_id: to.installation_id });
}

/**
 * Takes a repository out of the App's reach; false when it is not known, or in another installation than is said:
 * then nothing changes.
 */
export async function markProjectRemoved(
  trx: Trx,
  from: { repositoryId: number; installationId?: number },
): Promise<boolean> {
  const { repositoryId: repository_id, installationId } = from;
  const changed = await trx('projects')
    .where({ repository_id, ...(installationId === undefined ? {} : { installation_id: installationId }) })
    .update({ removed_at: trx.raw('specwright_now()') });
  return changed === 1;
}

/** Takes all repositories of an installation out of the App's reach: it is over. */
export async function markProjectsRemoved(trx: Trx, installationId: number): Promise<void> {
  await besideTheEnd(trx, installationId, '');
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
