import type { Db } from './types.ts';

/** A delivery that GitHub tells of and that is not in our inbox. */
export interface MissedDelivery {
  guid: string;
  delivery_id: string;
  event: string;
  action: string | null;
  delivered_at: Date;
  /** GitHub was answered with a 2xx, by somebody. */
  acknowledged: boolean;
  attempts: number;
}

export type NewMissedDelivery = Omit<MissedDelivery, 'attempts'> & {
  /** Until something is done about it. */
  wait_seconds: number;
};

/** Which of these GUIDs the inbox has. */
export async function knownGuids(db: Db, guids: readonly string[]): Promise<ReadonlySet<string>> {
  const rows: { guid: string }[] = await db('deliveries')
    .select('guid')
    .whereIn('guid', [...guids]);
  return new Set(rows.map(({ guid }) => guid));
}

/** Notes what was missed; a later attempt of the same GUID only adds that it was acknowledged. */
export async function noteMissed(db: Db, rows: readonly NewMissedDelivery[]): Promise<void> {
  for (const row of rows) {
    await db.raw(
      `insert into missed_deliveries (guid, delivery_id, event, action, delivered_at, acknowledged, retry_at)
       values (:guid, :delivery_id, :event, :action, :delivered_at, :acknowledged,
         specwright_now() + make_interval(secs => :wait_seconds))
       on conflict (guid) do update set
         acknowledged = missed_deliveries.acknowledged or excluded.acknowledged,
         delivery_id = case when excluded.acknowledged then excluded.delivery_id
           else missed_deliveries.delivery_id end,
         delivered_at = least(missed_deliveries.delivered_at, excluded.delivered_at)`,
      { ...row },
    );
  }
}

/** Settled ones are kept as long as the bodies of deliveries. */
const KEPT_DAYS = 30;

/** Those that came after all are settled; those older than GitHub keeps them are left to the reconciler. */
export async function settleMissed(
  db: Db,
  windowDays: number,
): Promise<{ arrived: number; expired: number }> {
  const arrived = await db.raw(
    `update missed_deliveries m set state = 'arrived'
     where state = 'open' and exists (select from deliveries d where d.guid = m.guid)`,
  );
  const expired = await db.raw(
    `update missed_deliveries set state = 'expired'
     where state = 'open' and delivered_at < specwright_now() - make_interval(days => ?)`,
    [windowDays],
  );
  await db.raw(
    `delete from missed_deliveries
     where state <> 'open' and found_at < specwright_now() - make_interval(days => ?)`,
    [KEPT_DAYS],
  );
  return { arrived: arrived.rowCount, expired: expired.rowCount };
}

/** The oldest that are due, so that what is sent again keeps its order. */
export async function listDueMissed(db: Db, limit: number): Promise<MissedDelivery[]> {
  const { rows } = await db.raw(
    `select guid, delivery_id::text, event, action, delivered_at, acknowledged, attempts from missed_deliveries
     where state = 'open' and retry_at <= specwright_now() order by delivered_at, delivery_id limit ?`,
    [limit],
  );
  return rows;
}

/** One try more; the next one in `delaySeconds`. */
export async function retryMissedIn(db: Db, guid: string, delaySeconds: number): Promise<void> {
  await db.raw(
    `update missed_deliveries set attempts = attempts + 1,
       retry_at = specwright_now() + make_interval(secs => ?) where guid = ?`,
    [delaySeconds, guid],
  );
}

export async function endMissed(db: Db, guid: string, state: 'arrived' | 'fed' | 'given_up'): Promise<void> {
  await db('missed_deliveries').where({ guid }).update({ state });
}
