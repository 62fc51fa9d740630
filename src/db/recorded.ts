/** What an operator runs again: deliveries as they were stored, and what came of them. */
import { DELIVERIES_CHANNEL } from './deliveries.ts';
import type { Db, Trx } from './types.ts';

export interface RecordedDelivery {
  readonly guid: string;
  readonly event: string;
  readonly action: string | null;
  readonly lane: string | null;
  readonly state: 'pending' | 'handled' | 'ignored' | 'unreadable' | 'parked';
  readonly reason: string | null;
  readonly attempts: number;
  /** The compressed raw body; empty once it was pruned. */
  readonly bytes: Buffer;
  readonly received_at: Date;
}

export async function readRecorded(db: Db | Trx, guid: string): Promise<RecordedDelivery | null> {
  const columns = ['guid', 'event', 'action', 'lane', 'state', 'reason', 'attempts', 'bytes', 'received_at'];
  return (await db('deliveries').select(columns).where({ guid }).first()) ?? null;
}

/**
 * Puts a delivery that has ended back into its lane as if it had just come, and tells the workers. Answers false when
 * it has not ended, or when its body is gone.
 */
export async function requeueDelivery(db: Db, guid: string): Promise<boolean> {
  return db.transaction(async (trx) => {
    const count = await trx('deliveries')
      .where({ guid })
      .whereNot({ state: 'pending' })
      .whereRaw('octet_length(bytes) > 0')
      .update({
        state: 'pending',
        gathered: null,
        attempts: 0,
        retry_at: null,
        claimed_until: null,
        reason: null,
        finished_at: null,
      });
    if (count > 0) await trx.raw('select pg_notify(?, ?)', [DELIVERIES_CHANNEL, '']);
    return count > 0;
  });
}

/** One row that a transaction has written, in words. */
export interface Written {
  readonly table: string;
  readonly what: string;
}

/** The rows that this transaction has written so far, of the tables that tell what a decision leads to. */
export async function writtenBy(trx: Trx): Promise<Written[]> {
  const { rows } = await trx.raw(
    `with mine as (select (pg_current_xact_id()::text::numeric % 4294967296)::bigint::text as xid)
     select 'specs' as "table", 'spec ' || id || ' is ' || status || coalesce(' at ' || phase, '') as what
       from specs, mine where specs.xmin::text = xid
     union all select 'spec_events', type || coalesce(' ' || phase, '') from spec_events, mine
       where spec_events.xmin::text = xid
     union all select 'effects', kind || ' (' || effect_key || ')' from effects, mine where effects.xmin::text = xid
     union all select 'jobs', name || ' (' || coalesce(singleton_key, '') || ')' from pgboss.job, mine
       where job.xmin::text = xid
     union all select 'installations', 'installation ' || id from installations, mine
       where installations.xmin::text = xid
     union all select 'projects', owner || '/' || name from projects, mine where projects.xmin::text = xid`,
  );
  return rows;
}

/** What was written about the issue or pull request of a lane since a moment: the spec's events and effects. */
export async function listWrittenSince(
  db: Db,
  of: { readonly since: Date; readonly lane: string | null },
): Promise<Written[]> {
  const place = /^repo:(\d+)#(\d+)$/.exec(of.lane ?? '');
  if (!place) return [];
  const { rows } = await db.raw(
    `with mine as (select id from specs
       where repository_id = :repository and (issue_number = :number or pull_request_number = :number))
     select 'spec_events' as "table", type || coalesce(' ' || phase, '') as what, created_at
       from spec_events join mine on mine.id = spec_id where created_at >= :since
     union all select 'effects', kind || ' (' || effect_key || ')', created_at
       from effects join mine on mine.id = spec_id where created_at >= :since
     order by created_at`,
    { repository: place[1]!, number: place[2]!, since: of.since },
  );
  return rows;
}
