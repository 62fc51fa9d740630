import type { InstallationRow, ProjectRow } from './accounts.ts';
import type { SpecRow } from './specs.ts';
import type { Db } from './types.ts';

/** What earlier passes saw of a repository. */
export interface ReconciledRepository {
  repository_id: number;
  /** Labels that were set before belong to a time when nobody listened. */
  since: Date;
  label: string | null;
  pushed_at: string | null;
  seen: Record<string, { etag: string; value: unknown }>;
  /** Labelled issues without a spec, by number, with the `updated_at` at which that was found to be right. */
  judged: Record<string, string>;
  /** The label was read less than a day ago. */
  label_fresh: boolean;
}

/** Installations that we believe to be there. */
export async function listInstallationRows(db: Db): Promise<InstallationRow[]> {
  return db('installations').whereNull('deleted_at');
}

/** Repositories that we believe an installation to reach. */
export async function listProjectRows(
  db: Db,
  installationId: number,
): Promise<(ProjectRow & { updated_at: Date })[]> {
  return db('projects')
    .where({ installation_id: installationId })
    .whereNull('removed_at')
    .whereNull('deleted_at');
}

/** When an installation was last looked at, and whether that is `seconds` ago (fewer where specs are at work there). */
export async function installationDue(
  db: Db,
  installationId: number,
  seconds: { quiet: number; busy: number },
): Promise<{ checkedAt: Date | null; due: boolean }> {
  const { rows } = await db.raw(
    `select r.checked_at, coalesce(r.checked_at, '-infinity') <= specwright_now() - make_interval(secs =>
       case when exists (select from specs join projects using (repository_id)
           where projects.installation_id = :id and ended_at is null)
         then :busy::int else :quiet::int end) as due
     from (select :id::bigint as id) i left join reconciled_installations r on r.installation_id = i.id`,
    { id: installationId, ...seconds },
  );
  return { checkedAt: rows[0].checked_at, due: rows[0].due };
}

export async function markInstallationChecked(db: Db, installationId: number): Promise<void> {
  await db.raw(
    `insert into reconciled_installations (installation_id, checked_at) values (?, specwright_now())
     on conflict (installation_id) do update set checked_at = excluded.checked_at`,
    [installationId],
  );
}

/** Notes repositories that are seen for the first time; labels count from `since` on. */
export async function noteRepositories(db: Db, ids: readonly number[], since: Date): Promise<void> {
  await db.raw(
    `insert into reconciled_repositories (repository_id, since) select unnest(?::bigint[]), ?
     on conflict do nothing`,
    [[...ids], since],
  );
}

/** Those of `ids` that are due, longest unchecked first: after `busy` seconds where specs are at work, else `quiet`. */
export async function listDueRepositories(
  db: Db,
  ids: readonly number[],
  due: { quiet: number; busy: number; limit: number },
): Promise<ReconciledRepository[]> {
  const { rows } = await db.raw(
    `select r.*, coalesce(label_read_at > specwright_now() - interval '1 day', false) as label_fresh
     from reconciled_repositories r
     where repository_id = any(:ids) and coalesce(checked_at, '-infinity') <= specwright_now() -
       make_interval(secs => case when exists (
         select from specs where specs.repository_id = r.repository_id and ended_at is null)
         then :busy::int else :quiet::int end)
     order by checked_at nulls first limit :limit`,
    { ids: [...ids], ...due },
  );
  return rows;
}

/** Stores what a pass saw. Without `seen` it failed, and only its turn is over. */
export async function storeReconciled(
  db: Db,
  repositoryId: number,
  seen: Pick<ReconciledRepository, 'label' | 'pushed_at' | 'seen' | 'judged'> & { labelRead: boolean },
): Promise<void> {
  await db('reconciled_repositories')
    .where({ repository_id: repositoryId })
    .update({
      label: seen.label,
      pushed_at: seen.pushed_at,
      seen: JSON.stringify(seen.seen),
      judged: JSON.stringify(seen.judged),
      ...(seen.labelRead ? { label_read_at: db.raw('specwright_now()') } : {}),
      checked_at: db.raw('specwright_now()'),
    });
}

/** A pass that failed: the others come first next time. */
export async function markRepositoryChecked(db: Db, repositoryId: number): Promise<void> {
  await db('reconciled_repositories')
    .where({ repository_id: repositoryId })
    .update({ checked_at: db.raw('specwright_now()') });
}

export type WatchedSpec = Pick<
  SpecRow,
  | 'id'
  | 'issue_number'
  | 'status'
  | 'settings'
  | 'branch_name'
  | 'head_sha'
  | 'pull_request_number'
  | 'ended_at'
> & { has_branch: boolean };

/** A repository's live specs, and those that ended without a merge in the last `graceDays`. */
export async function listWatchedSpecs(
  db: Db,
  repositoryId: number,
  graceDays: number,
): Promise<WatchedSpec[]> {
  const { rows } = await db.raw(
    `select id, issue_number, status, settings, branch_name, head_sha, pull_request_number, ended_at,
       exists (select from spec_events where spec_id = specs.id and type = 'spec.branch_created') as has_branch
     from specs where repository_id = ? and (ended_at is null
       or status <> 'merged' and ended_at > specwright_now() - make_interval(days => ?))
     order by created_at`,
    [repositoryId, graceDays],
  );
  return rows;
}

/** GitHub's time of the newest request of each issue that ever had a spec. */
export async function listRequestTimes(db: Db, repositoryId: number): Promise<Map<number, Date>> {
  const { rows } = await db.raw(
    `select issue_number, max(coalesce(requested_at, created_at)) as at from specs where repository_id = ?
     group by issue_number`,
    [repositoryId],
  );
  return new Map(rows.map((row: { issue_number: number; at: Date }) => [row.issue_number, row.at]));
}

/** Bodies of what was received in a lane about a kind of event since `since`, give or take five minutes of clocks. */
export async function listReceived(
  db: Db,
  what: { lane: string; event: string; action: string; since: Date },
): Promise<Buffer[]> {
  const { rows } = await db.raw(
    `select bytes from deliveries where lane = :lane and event = :event and action = :action
       and received_at >= :since::timestamptz - interval '5 minutes' order by seq desc limit 20`,
    { ...what },
  );
  return rows.map((row: { bytes: Buffer }) => row.bytes);
}
