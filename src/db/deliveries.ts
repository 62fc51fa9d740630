import type pg from 'pg';
import { crashPoint } from '../crash-point.ts';
import type { Db, Trx } from './types.ts';

/** A webhook as it arrived: `bytes` is the compressed raw body. */
export interface NewDelivery {
  guid: string;
  event: string;
  bytes: Buffer;
}

/** The hot path's only statements. */
export interface DeliveryStore {
  /** Commits all rows at once and answers the GUIDs that were not there before. Throws the driver's error. */
  insert(rows: readonly NewDelivery[]): Promise<'all' | ReadonlySet<string>>;
  /** Tells every listener that something was committed. Throws the driver's error. */
  announce(): Promise<void>;
}

/** Channel on which new deliveries are announced. */
export const DELIVERIES_CHANNEL = 'deliveries';

/**
 * Multi-row VALUES of buffers, which the driver sends as they are (arrays of bytea go as hex text), prepared once for
 * each number of rows. A notification inside the commit would make commits wait for each other (PostgreSQL holds one
 * lock for all of them until a commit with a notification is on disk), so it is a statement of its own.
 */
export function createDeliveryStore(pool: pg.Pool): DeliveryStore {
  const statements: string[] = [];
  return {
    async insert(rows) {
      const count = rows.length;
      statements[count] ??= insertStatement(count);
      const values: (string | Buffer)[] = [];
      for (const { guid, event, bytes } of rows) values.push(guid, event, bytes);
      const result = await pool.query<{ stored: string[] | null }>({
        name: `deliver-${count}`,
        text: statements[count],
        values,
      });
      const [some] = result.rows;
      return some ? new Set(some.stored) : 'all';
    },
    async announce() {
      await pool.query({
        name: 'announce',
        text: 'select pg_notify($1, $2)',
        values: [DELIVERIES_CHANNEL, ''],
      });
    },
  };
}

/** Answers what was stored only if that is not all of it. */
function insertStatement(count: number): string {
  const tuples = Array.from({ length: count }, (_, i) => `($${3 * i + 1}, $${3 * i + 2}, $${3 * i + 3})`);
  return `with stored as (
      insert into deliveries (guid, event, bytes) values ${tuples.join(', ')} on conflict do nothing returning guid)
    select array_agg(guid) as stored from stored having count(*) < ${count}`;
}

export interface UnroutedDelivery {
  guid: string;
  event: string;
  bytes: Buffer;
}

/** Where a delivery goes; without a lane it ends here, for `reason`. */
export interface Route {
  guid: string;
  lane: string | null;
  action: string | null;
  installationId: number | null;
  state: 'pending' | 'ignored' | 'unreadable';
  reason: string | null;
}

/** Any fixed number: whoever routes holds it. */
const ROUTER_LOCK = 7_210_994;
/** Reading huge bodies takes long; the transaction must end before the server loses patience with it. */
const ROUTE_MS = 2_000;
/** Second argument of the hash, so that lanes share no lock with other users of advisory locks. */
const LANE_LOCK_SEED = 7;

/**
 * Hands the oldest unrouted deliveries (at most `limit`) to `decide` and stores what it answers, in one transaction
 * that one process at a time can hold. Answers whether there may be more; false also if another process is at it.
 */
export async function routeDeliveries(
  db: Db,
  limit: number,
  decide: (delivery: UnroutedDelivery) => Route,
): Promise<boolean> {
  return await db.transaction(async (trx) => {
    if (!(await single(trx, 'select pg_try_advisory_xact_lock(?) as value', [ROUTER_LOCK]))) return false;
    const rows: UnroutedDelivery[] = await trx('deliveries')
      .select('guid', 'event', 'bytes')
      .where({ state: 'pending', lane: null })
      .orderBy('seq')
      .limit(limit);
    const routes: Route[] = [];
    const end = performance.now() + ROUTE_MS;
    for (const row of rows) if (performance.now() < end) routes.push(decide(row));
    if (routes.length > 0) await storeRoutes(trx, routes);
    if (routes.length > 0) crashPoint('inbox.routed');
    return rows.length === limit || routes.length < rows.length;
  });
}

async function storeRoutes(trx: Trx, routes: readonly Route[]): Promise<void> {
  // The driver takes nulls in arrays, which knex's types don't know.
  const column = (value: (route: Route) => string | number | null) => routes.map(value) as string[];
  await trx.raw(
    `update deliveries d set lane = r.lane, action = r.action, installation_id = r.installation_id, state = r.state,
       reason = r.reason, finished_at = case when r.state = 'pending' then null else specwright_now() end
     from unnest(?::text[], ?::text[], ?::text[], ?::bigint[], ?::text[], ?::text[])
       as r (guid, lane, action, installation_id, state, reason)
     where d.guid = r.guid and d.state = 'pending'`,
    [
      column((route) => route.guid),
      column((route) => route.lane),
      column((route) => route.action),
      column((route) => route.installationId),
      column((route) => route.state),
      column((route) => route.reason),
    ],
  );
}

/** Progress of the questions about one delivery. */
export type GatheredColumn =
  | { answers: Record<string, unknown> }
  /** No clear answer yet; `since` is the database's time of the first unclear one. */
  | { unclear: { since: string; tries: number } };

export interface ClaimedDelivery {
  guid: string;
  lane: string;
  event: string;
  action: string | null;
  installation_id: number | null;
  bytes: Buffer;
  attempts: number;
  gathered: GatheredColumn | null;
}

/** Walks from lane to lane by the index, so that a lane with thousands of deliveries costs one look. */
const HEADS = `with recursive heads as (
    (select lane, guid, seq from deliveries where state = 'pending' and lane is not null order by lane, seq limit 1)
    union all
    select next.lane, next.guid, next.seq from heads, lateral (
      select lane, guid, seq from deliveries where state = 'pending' and lane > heads.lane order by lane, seq limit 1) next
  )`;

/** Stored bytes of one claim, if it is more than one delivery: all of them are read into memory. */
const CLAIM_BYTES = 16 * 1024 * 1024;

/** Takes up to `limit` deliveries that are first in their lane and due, for `leaseMs`, oldest first. */
export async function claimHeads(db: Db, limit: number, leaseMs: number): Promise<ClaimedDelivery[]> {
  const { rows } = await db.raw(
    `${HEADS}, due as (
       select d.guid, d.seq, octet_length(d.bytes) as size from heads join deliveries d using (guid)
       where d.state = 'pending' and coalesce(d.retry_at, '-infinity') <= specwright_now()
         and coalesce(d.claimed_until, '-infinity') <= specwright_now()
       order by d.seq limit ? for update of d skip locked),
     fitting as (select guid, sum(size) over (order by seq) - size as before, size from due)
     update deliveries d set claimed_until = specwright_now() + ? * interval '1 millisecond'
     from fitting where d.guid = fitting.guid and (before = 0 or before + size <= ?)
     returning d.guid, d.lane, d.event, d.action, d.installation_id, d.bytes, d.attempts, d.gathered, d.seq`,
    [limit, leaseMs, CLAIM_BYTES],
  );
  return (rows as (ClaimedDelivery & { seq: number })[]).sort((a, b) => a.seq - b.seq);
}

/** Whether there is anything to route, or a first of a lane that does not wait for its next try. */
export async function hasDueDeliveries(db: Db): Promise<boolean> {
  const text = `${HEADS} select exists (select 1 from deliveries where state = 'pending' and lane is null)
    or exists (select 1 from heads join deliveries d using (guid)
      where coalesce(d.retry_at, '-infinity') <= specwright_now()) as value`;
  return (await single(db, text, [])) === true;
}

/**
 * Locks the lane for this transaction. `head`: `guid` is its first pending delivery, and now ours. `busy`: another
 * transaction has the lane. `behind`: something else comes first, or the delivery has ended.
 *
 * One statement does both, although its snapshot may be older than the lock: `for update` waits for and reads the
 * newest version of each row that it takes, so what ended in between is passed over.
 */
export async function lockHead(
  trx: Trx,
  delivery: { guid: string; lane: string },
): Promise<'head' | 'busy' | 'behind'> {
  const text = `
    with lane as materialized (select pg_try_advisory_xact_lock(hashtextextended(?, ?)) as locked)
    select lane.locked, head.guid from lane left join lateral (
      select guid from deliveries where lane.locked and state = 'pending' and deliveries.lane = ?
      order by seq limit 1 for update) head on true`;
  const { rows } = await trx.raw(text, [delivery.lane, LANE_LOCK_SEED, delivery.lane]);
  const [found] = rows as { locked: boolean; guid: string | null }[];
  if (!found?.locked) return 'busy';
  return found.guid === delivery.guid ? 'head' : 'behind';
}

/** The same for several lanes at once: answers the GUIDs that are first in their lane, and now ours. */
export async function lockHeads(
  trx: Trx,
  deliveries: readonly { guid: string; lane: string }[],
): Promise<ReadonlySet<string>> {
  const text = `
    with lanes as materialized (
      select guid, lane, pg_try_advisory_xact_lock(hashtextextended(lane, ?)) as locked
      from unnest(?::text[], ?::text[]) as given (guid, lane))
    select lanes.guid from lanes cross join lateral (
      select guid from deliveries where lanes.locked and state = 'pending' and deliveries.lane = lanes.lane
      order by seq limit 1 for update) head
    where head.guid = lanes.guid`;
  const columns = [deliveries.map(({ guid }) => guid), deliveries.map(({ lane }) => lane)];
  const { rows } = await trx.raw(text, [LANE_LOCK_SEED, ...columns]);
  return new Set((rows as { guid: string }[]).map(({ guid }) => guid));
}

export interface DeliveryEnd {
  guid: string;
  state: 'handled' | 'ignored' | 'parked';
  reason: string;
  gathered: GatheredColumn | null;
}

/** Ends deliveries in the transaction that did what they asked for. */
export async function finishDeliveries(trx: Trx, ends: readonly DeliveryEnd[]): Promise<void> {
  await trx.raw(
    `update deliveries d set state = e.state, reason = e.reason, gathered = e.gathered,
       finished_at = specwright_now(), claimed_until = null
     from unnest(?::text[], ?::text[], ?::text[], ?::jsonb[]) as e (guid, state, reason, gathered)
     where d.guid = e.guid and d.state = 'pending'`,
    [
      ends.map(({ guid }) => guid),
      ends.map(({ state }) => state),
      ends.map(({ reason }) => reason),
      // The driver takes nulls in arrays, which knex's types don't know.
      ends.map(({ gathered }) => gathered && JSON.stringify(gathered)) as string[],
    ],
  );
}

/** Lets a delivery go until its next try in `delayMs` (0: at once). */
export async function postponeDelivery(
  db: Db,
  guid: string,
  next: { delayMs: number; attempts: number; gathered: GatheredColumn | null; reason: string | null },
): Promise<void> {
  await db('deliveries')
    .where({ guid, state: 'pending' })
    .update({
      attempts: next.attempts,
      reason: next.reason,
      gathered: next.gathered && JSON.stringify(next.gathered),
      retry_at:
        next.delayMs > 0 ? db.raw("specwright_now() + ? * interval '1 millisecond'", [next.delayMs]) : null,
      claimed_until: null,
    });
}

/** Gives claims back untouched, so that another process need not wait for their end. */
export async function releaseDeliveries(db: Db, guids: readonly string[]): Promise<void> {
  if (guids.length === 0) return;
  await db('deliveries').whereIn('guid', guids).where({ state: 'pending' }).update({ claimed_until: null });
}

/** The database's own time, by which deadlines are judged. */
export async function databaseNow(db: Db): Promise<Date> {
  return (await single(db, 'select specwright_now() as value', [])) as Date;
}

/** How long bodies of finished deliveries are kept, in days. */
const KEPT_DAYS = 30;
const PRUNE_BATCH = 1_000;

/** Empties bodies and answers of finished deliveries after 30 days and keeps their keys; answers how many. */
export async function pruneDeliveries(db: Db): Promise<number> {
  let pruned = 0;
  for (;;) {
    const { rowCount } = await db.raw(
      `update deliveries set bytes = '', gathered = null where guid in (
         select guid from deliveries where state <> 'pending' and octet_length(bytes) > 0
           and received_at < specwright_now() - ? * interval '1 day' limit ?)`,
      [KEPT_DAYS, PRUNE_BATCH],
    );
    pruned += rowCount;
    if (rowCount < PRUNE_BATCH) return pruned;
  }
}

async function single(db: Db | Trx, text: string, bindings: (string | number)[]): Promise<unknown> {
  const { rows } = await db.raw(text, bindings);
  return rows[0]?.value;
}
