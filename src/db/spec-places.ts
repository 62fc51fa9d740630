/*
 * How many specs an installation has at work at once.
 *
 * Race ledger
 * - Two specs ask for the last place at once → a lock for the installation puts them in an order.
 * - A place is given up and the job that tells the next one is lost → idle specs are looked at again and again.
 */
import type { SpecRow } from './specs.ts';
import type { Db, Trx } from './types.ts';

const AT_WORK = `place_at is not null and status in ('queued', 'planning', 'executing') and hold is null`;
const WAITING = `place_at is null and status = 'queued' and hold is null`;

/** Whether a spec stands in the place of others. */
export function hasPlace(spec: Pick<SpecRow, 'place_at' | 'status' | 'hold'>): boolean {
  const working = ['queued', 'planning', 'executing'].includes(spec.status);
  return spec.place_at !== null && working && spec.hold === null;
}

/** Gives a queued spec a place if its installation has one for it: those that came before it go first. */
export function takePlace(
  db: Db,
  spec: Pick<SpecRow, 'id' | 'installation_id'>,
  limit: number,
): Promise<boolean> {
  return db.transaction(async (trx) => {
    await trx.raw(`select pg_advisory_xact_lock(hashtextextended('places/' || ?::text, 0))`, [
      spec.installation_id,
    ]);
    const { rowCount } = await trx.raw(
      `update specs s set place_at = coalesce(place_at, specwright_now()),
         updated_at = case when place_at is null then specwright_now() else updated_at end
       where id = ? and (place_at is not null or (
         select count(*) from specs other where other.installation_id = s.installation_id and other.id <> s.id
           and ((${AT_WORK}) or (${WAITING} and (other.created_at, other.id) < (s.created_at, s.id)))
       ) < ?)`,
      [spec.id, limit],
    );
    return rowCount === 1;
  });
}

/** The id of the spec that has waited longest for a place in its installation; null when none waits. */
export async function nextWaiting(trx: Trx, installationId: number): Promise<string | null> {
  const row = await trx('specs')
    .where({ installation_id: installationId })
    .whereRaw(WAITING)
    .orderBy(['created_at', 'id'])
    .first('id');
  return row?.id ?? null;
}

export interface Waiting {
  /** 1 for the one that is next. */
  readonly place: number;
  readonly atWork: number;
}

/** Where a queued spec stands among those that wait; null when it has a place, or needs none. */
export async function readWaiting(db: Db | Trx, specId: string): Promise<Waiting | null> {
  const { rows } = await db.raw<{ rows: Waiting[] }>(
    `select
       (select count(*)::int + 1 from specs o where o.installation_id = s.installation_id and ${WAITING}
         and (o.created_at, o.id) < (s.created_at, s.id)) as place,
       (select count(*)::int from specs o where o.installation_id = s.installation_id and ${AT_WORK}) as "atWork"
     from specs s where s.id = ? and s.place_at is null and s.status = 'queued' and s.hold is null`,
    [specId],
  );
  return rows[0] ?? null;
}
