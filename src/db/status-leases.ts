import type { SpecRow } from './specs.ts';
import type { Db, Trx } from './types.ts';

export interface StatusLease {
  readonly spec: SpecRow;
  /** Seconds since a first comment was sent whose answer nobody has seen; null when none is in doubt. */
  readonly unclearSeconds: number | null;
}

/**
 * Seconds until the status of a spec may be published (again); 0 where it may be now. A last state is published once:
 * for a moment it waits for the deletion of the branch, of which it tells.
 */
export async function statusPause(db: Db, specId: string, intervalSeconds: number): Promise<number> {
  const { rows } = await db.raw(
    `select case
       when status_retry_at > specwright_now()
         then extract(epoch from status_retry_at - specwright_now())::float
       when ended_at > specwright_now() - interval '5 seconds' and exists (
         select from effects where spec_id = specs.id and kind = 'delete_branch' and state = 'pending') then 1
       when ended_at is not null or status_published_at is null then 0
       else greatest(0, ? - extract(epoch from specwright_now() - status_published_at))::float end as pause
     from specs where id = ?`,
    [intervalSeconds, specId],
  );
  return rows[0]?.pause ?? 0;
}

/**
 * Takes the right to publish the status comment of one spec for `lease.seconds`; null when another process has it or
 * nothing is newer than what was published. Waits for the row's lock: who advances the spec holds it too, and a
 * status that was passed over then would stay behind.
 */
export async function takeStatusLease(
  db: Db,
  specId: string,
  lease: { owner: string; seconds: number },
): Promise<StatusLease | null> {
  const { rows } = await db.raw(
    `with before as (
       select id, extract(epoch from specwright_now() - status_unclear_at)::float as unclear from specs
       where id = ? and status_published_version < version
         and (status_lease_until is null or status_lease_until <= specwright_now()) for update)
     update specs set status_lease_owner = ?, status_lease_until = specwright_now() + make_interval(secs => ?)
     from before where specs.id = before.id
     returning specs.*, before.unclear`,
    [specId, lease.owner, lease.seconds],
  );
  if (!rows[0]) return null;
  const { unclear, ...spec } = rows[0];
  return { spec, unclearSeconds: unclear };
}

/** A first comment leaves now; until its id is recorded nobody knows whether it arrived. */
export async function noteStatusSending(db: Db, specId: string): Promise<void> {
  await db.raw('update specs set status_unclear_at = specwright_now() where id = ?', [specId]);
}

/** It did not leave for certain. */
export async function noteStatusUnsent(db: Db, specId: string): Promise<void> {
  await db.raw('update specs set status_unclear_at = null where id = ?', [specId]);
}

/** Ends what a dead worker held; the next attempt knows that there was one. */
export async function releaseStatusLeases(trx: Trx, owner: string): Promise<void> {
  await trx('specs')
    .where({ status_lease_owner: owner })
    .whereNotNull('status_lease_until')
    .update({ status_lease_until: trx.raw('specwright_now()'), status_lease_owner: null });
}

/** Ends the lease and records which version people see now. */
export async function recordPublishedStatus(
  db: Db,
  published: { specId: string; version: number; commentId: number },
): Promise<void> {
  await db.raw(
    `update specs set status_lease_until = null, status_published_at = specwright_now(),
       status_unclear_at = null, status_tries = 0, status_retry_at = null,
       status_comment_id = ?, status_published_version = greatest(status_published_version, ?)
     where id = ?`,
    [published.commentId, published.version, published.specId],
  );
}

/** Ends the lease of a status that nobody can be shown any more, so that it is not tried for ever. */
export async function skipStatus(db: Db, skipped: { specId: string; version: number }): Promise<void> {
  await db.raw(
    `update specs set status_lease_until = null, status_tries = 0, status_retry_at = null,
       status_published_version = greatest(status_published_version, ?) where id = ?`,
    [skipped.version, skipped.specId],
  );
}

/** Lets the next attempt in at once. */
export async function endStatusLease(db: Db, specId: string): Promise<void> {
  await db.raw('update specs set status_lease_until = specwright_now() where id = ?', [specId]);
}

/**
 * Ends the lease of a status that could not be published. The next attempt comes after 1, 2, 4 … 300 s, and not before
 * `asked` seconds; answers how many failed in a row and when it comes, in seconds.
 */
export async function deferStatus(
  db: Db,
  deferred: { specId: string; asked: number },
): Promise<{ tries: number; seconds: number }> {
  const { rows } = await db.raw(
    `with pause as (
       select id, greatest(cast(:asked as float8), least(300, 2 ^ least(status_tries, 9))) as seconds
       from specs where id = :id)
     update specs set status_lease_until = specwright_now(), status_tries = status_tries + 1,
       status_retry_at = specwright_now() + make_interval(secs => pause.seconds)
     from pause where specs.id = pause.id returning status_tries as tries, pause.seconds`,
    { id: deferred.specId, asked: deferred.asked },
  );
  return rows[0] ?? { tries: 0, seconds: 0 };
}

/** What was published last is out of date, although the spec itself has not changed. */
export async function outdateStatus(trx: Trx, specId: string): Promise<void> {
  await trx.raw(
    'update specs set version = version + 1 where id = ? and status_published_version >= version',
    [specId],
  );
}

/** Specs whose newest version nobody has published for `seconds`. */
export async function listStaleStatuses(db: Db, seconds: number): Promise<string[]> {
  const { rows } = await db.raw(
    `select id from specs where status_published_version < version
       and coalesce(status_retry_at, updated_at) < specwright_now() - make_interval(secs => ?)
     order by updated_at limit 100`,
    [seconds],
  );
  return rows.map((row: { id: string }) => row.id);
}
