import type { Db, Trx } from './types.ts';

/** A row of `specs`. Times are Dates, ids of GitHub are numbers. */
export interface SpecRow {
  id: string;
  repository_id: number;
  installation_id: number;
  issue_number: number;
  issue_labels: string[];
  issue_type: string | null;
  title: string;
  body: string;
  frozen_hash: string;
  requester_id: number;
  requester_login: string;
  /** GitHub's time of the label that asked for it (last). */
  requested_at: Date | null;
  settings: unknown;
  status: string;
  phase: string | null;
  attempt: number;
  round: number;
  hold: unknown;
  version: number;
  generation: number;
  cause: string | null;
  base_branch: string | null;
  base_sha: string | null;
  branch_name: string | null;
  checkpoint_sha: string | null;
  head_sha: string | null;
  pull_template: string | null;
  /** Who wrote the issue, and what they could do in the repository when the spec began; null where nobody asked. */
  author_id: number | null;
  author_login: string | null;
  author_permission: string | null;
  /** What the diff gate found in the commit that it judged last. */
  gate: unknown;
  /** A rule asks for verified commits on the spec's branch. */
  needs_signatures: boolean;
  /** Under which sha GitHub signed each checked commit anew, by its own. */
  signed_shas: Readonly<Record<string, string>> | null;
  pull_request_number: number | null;
  pull_request_url: string | null;
  merge_sha: string | null;
  merged_at: Date | null;
  status_comment_id: number | null;
  status_published_version: number;
  status_published_at: Date | null;
  phase_started_at: Date | null;
  publishing_since: Date | null;
  /** When it was given a place among the specs that its installation may have at work at once; null while it waits. */
  place_at: Date | null;
  created_at: Date;
  updated_at: Date;
  ended_at: Date | null;
}

export type NewSpec = Pick<
  SpecRow,
  | 'id'
  | 'repository_id'
  | 'installation_id'
  | 'issue_number'
  | 'issue_labels'
  | 'issue_type'
  | 'title'
  | 'body'
  | 'frozen_hash'
  | 'requester_id'
  | 'requester_login'
  | 'requested_at'
  | 'author_id'
  | 'author_login'
  | 'author_permission'
> & { settings: object };

/** What holds of a spec that has not ended. */
export const LIVE = `status not in ('merged', 'closed', 'failed', 'cancelled')`;

/** Inserts a spec; null when the issue has a live one already, whoever was first. */
export async function insertSpec(trx: Trx, spec: NewSpec): Promise<SpecRow | null> {
  const rows = await trx('specs')
    .insert({ ...spec, settings: JSON.stringify(spec.settings) })
    .onConflict(trx.raw(`(repository_id, issue_number) where ${LIVE}`) as never)
    .ignore()
    .returning('*');
  return rows[0] ?? null;
}

/** Reads a spec and keeps everybody else from changing it until the transaction ends. */
export async function lockSpec(trx: Trx, id: string): Promise<SpecRow | null> {
  return (await trx('specs').where({ id }).forUpdate().first()) ?? null;
}

export async function readSpec(db: Db | Trx, id: string): Promise<SpecRow | null> {
  return (await db('specs').where({ id }).first()) ?? null;
}

/** The issue's live spec. */
export async function findLiveSpec(
  db: Db | Trx,
  repositoryId: number,
  issueNumber: number,
): Promise<SpecRow | null> {
  return (
    (await db('specs')
      .where({ repository_id: repositoryId, issue_number: issueNumber })
      .whereRaw(LIVE)
      .first()) ?? null
  );
}

/** The issue's newest spec, live or not. */
export async function findNewestSpec(
  db: Db | Trx,
  repositoryId: number,
  issueNumber: number,
): Promise<SpecRow | null> {
  return (
    (await db('specs')
      .where({ repository_id: repositoryId, issue_number: issueNumber })
      .orderBy('created_at', 'desc')
      .first()) ?? null
  );
}

/** The spec whose pull request this is, by number or, before we recorded one, by its branch. */
export async function findSpecByPull(
  db: Db | Trx,
  pull: { repositoryId: number; number: number; branch: string },
): Promise<SpecRow | null> {
  return (
    (await db('specs')
      .where({ repository_id: pull.repositoryId })
      .whereRaw('(pull_request_number = ? or (pull_request_number is null and branch_name = ?))', [
        pull.number,
        pull.branch,
      ])
      .orderBy('created_at', 'desc')
      .first()) ?? null
  );
}

export async function findSpecByBranch(
  db: Db | Trx,
  repositoryId: number,
  branch: string,
): Promise<SpecRow | null> {
  return (await db('specs').where({ repository_id: repositoryId, branch_name: branch }).first()) ?? null;
}

/**
 * Ids of live specs of one repository, or of all repositories of an installation: through the project, since a
 * transfer moves it to another installation.
 */
export async function listLiveSpecIds(
  db: Db | Trx,
  of: { repositoryId: number } | { installationId: number },
): Promise<string[]> {
  const [column, id] =
    'repositoryId' in of ? ['repository_id', of.repositoryId] : ['installation_id', of.installationId];
  const { rows } = await db.raw(
    `select specs.id from specs join projects using (repository_id)
     where projects.?? = ? and ${LIVE} order by specs.created_at`,
    [column, id],
  );
  return rows.map((row: { id: string }) => row.id);
}

/** Changes a locked spec; every change makes a new version. */
export async function updateSpec(trx: Trx, id: string, patch: Record<string, unknown>): Promise<SpecRow> {
  const rows = await trx('specs')
    .where({ id })
    .update({ ...patch, version: trx.raw('version + 1'), updated_at: trx.raw('specwright_now()') })
    .returning('*');
  return rows[0]!;
}

/** Seconds since the spec last changed, by the database's clock. */
export async function secondsSinceSpecMoved(db: Db, id: string): Promise<number> {
  const { rows } = await db.raw(
    'select extract(epoch from specwright_now() - updated_at)::float as seconds from specs where id = ?',
    [id],
  );
  return rows[0]?.seconds ?? 0;
}

/** Records what a side job learned (a branch's name, a comment's id) without a new version. */
export async function annotateSpec(
  db: Db | Trx,
  id: string,
  patch: Partial<
    Pick<
      SpecRow,
      'branch_name' | 'checkpoint_sha' | 'pull_template' | 'gate' | 'needs_signatures' | 'signed_shas'
    >
  >,
): Promise<void> {
  await db('specs').where({ id }).update(patch);
}

/** Replaces the settings that hold for a spec: a person asked for it anew, under those of now. */
export async function refreezeSettings(
  trx: Trx,
  id: string,
  { settings, requestedAt }: { settings: object; requestedAt: Date | null },
): Promise<void> {
  await trx('specs')
    .where({ id })
    .update({
      settings: JSON.stringify(settings),
      ...(requestedAt ? { requested_at: requestedAt } : {}),
    });
}

/** Raises the spec's generation: from this commit on every older sandbox is answered 410. */
export async function raiseGeneration(trx: Trx, id: string): Promise<number> {
  const rows = await trx('specs')
    .where({ id })
    .update({ generation: trx.raw('generation + 1') })
    .returning('generation');
  return rows[0]!.generation;
}

/** Live specs that nobody holds, that have no live sandbox and that have not moved for `seconds`. */
export async function listIdleSpecs(db: Db, seconds: number): Promise<Pick<SpecRow, 'id' | 'status'>[]> {
  const { rows } = await db.raw(
    `select id, status from specs
     where status in ('queued', 'planning', 'executing', 'publishing') and hold is null
       and updated_at < specwright_now() - make_interval(secs => ?)
       and not exists (select 1 from sandboxes where spec_id = specs.id and state in ('requested', 'running'))
       and not exists (select 1 from effects where spec_id = specs.id and effects.state = 'pending'
         and kind in ('move_branch', 'open_pull'))
       and not (status = 'queued' and place_at is null and exists (
         select 1 from specs older where older.installation_id = specs.installation_id and older.status = 'queued'
           and older.place_at is null and older.hold is null and older.created_at < specs.created_at))
     order by updated_at limit 100`,
    [seconds],
  );
  return rows;
}

/** Specs that ended without a merge `days` ago and whose branch nobody was asked to delete. */
export async function listAbandonedSpecIds(db: Db, days: number): Promise<string[]> {
  const { rows } = await db.raw(
    `select id from specs where status in ('closed', 'failed', 'cancelled') and branch_name is not null
       and ended_at < specwright_now() - make_interval(days => ?)
       and not exists (select 1 from effects where spec_id = specs.id and kind = 'delete_branch')
     order by ended_at limit 50`,
    [days],
  );
  return rows.map((row: { id: string }) => row.id);
}

/** A spec by its id or by the first 8 or more characters of it; null when there is none, or more than one. */
export async function findSpecById(db: Db | Trx, id: string): Promise<SpecRow | null> {
  if (!/^[0-9a-f-]{8,36}$/.test(id)) return null;
  const rows = await db('specs')
    .whereRaw('id::text like ?', [`${id}%`])
    .limit(2);
  return rows.length === 1 ? rows[0]! : null;
}
