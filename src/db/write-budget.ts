/*
 * Two token buckets an installation (a minute's, an hour's) in one row, shared by all processes.
 *
 * Race ledger
 * - Many processes take at once → the row's lock queues them and each judges what the one before it left
 *   (test/integration/write-budget: "gives out no more than the burst, whoever asks").
 * - A transaction that began earlier gets the lock later → its clock is behind `refilled_at`; time counts as
 *   standing still, never as running backwards.
 * - The wait told to a refused caller is read beside the lock and may be a little old → it asks again too early
 *   and is refused again, nothing else.
 */
import type { Db } from './types.ts';

interface Bucket {
  /** Tokens that a rested installation can spend at once. */
  readonly burst: number;
  /** Tokens that come back over the bucket's span. */
  readonly refill: number;
  /** Content stops here; what is left is for reactions, so that people see at once that they were heard. */
  readonly reserve: number;
  /** Upkeep stops here; what is left is for what people wait for. */
  readonly awaited: number;
}

export interface WriteLimits {
  readonly minute: Bucket;
  readonly hour: Bucket;
}

/**
 * GitHub allows 80 content-creating requests a minute and 500 an hour. A window can see a full bucket and a
 * whole refill, so it is their sum that has to stay below: 75 and 480.
 * https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
 */
export const WRITE_LIMITS: WriteLimits = {
  minute: { burst: 40, refill: 35, reserve: 10, awaited: 20 },
  hour: { burst: 110, refill: 370, reserve: 30, awaited: 60 },
};

type Kind = 'upkeep' | 'content' | 'reaction';

export type Taken = { readonly ok: true } | { readonly ok: false; readonly retryAt: Date };

/** The write budget of all installations; `take` costs one statement and waits only for the row's lock. */
export function createWriteBudget(db: Db, limits: WriteLimits = WRITE_LIMITS) {
  return {
    take: (installationId: number, kind: Kind): Promise<Taken> => take(db, limits, { installationId, kind }),
  };
}

// A new row starts rested and with the first token taken. `on conflict … where` judges the locked row, not the snapshot.
const TAKE = `
  with taken as (
    insert into write_budget as b (installation_id, minute_tokens, hour_tokens, refilled_at)
    values (:id, :minute_burst - 1, :hour_burst - 1, specwright_now())
    on conflict (installation_id) do update set
      minute_tokens = least(:minute_burst, b.minute_tokens + :minute_rate * ${elapsed('b')}) - 1,
      hour_tokens = least(:hour_burst, b.hour_tokens + :hour_rate * ${elapsed('b')}) - 1,
      refilled_at = greatest(b.refilled_at, specwright_now())
    where least(:minute_burst, b.minute_tokens + :minute_rate * ${elapsed('b')}) >= :minute_floor + 1
      and least(:hour_burst, b.hour_tokens + :hour_rate * ${elapsed('b')}) >= :hour_floor + 1
    returning 1
  ), wait as (
    select greatest(
      1,
      (:minute_floor + 1 - b.minute_tokens) / :minute_rate - ${elapsed('b')},
      (:hour_floor + 1 - b.hour_tokens) / :hour_rate - ${elapsed('b')}
    ) as seconds
    from write_budget b where b.installation_id = :id
  )
  select exists (select from taken) as ok,
    now() + make_interval(secs => coalesce((select seconds from wait), 1)) as retry_at`;

function elapsed(row: string): string {
  return `greatest(0, extract(epoch from specwright_now() - ${row}.refilled_at))::float8`;
}

function floorOf(bucket: Bucket, kind: Kind): number {
  if (kind === 'reaction') return 0;
  return kind === 'content' ? bucket.reserve : bucket.awaited;
}

async function take(
  db: Db,
  { minute, hour }: WriteLimits,
  { installationId, kind }: { readonly installationId: number; readonly kind: Kind },
): Promise<Taken> {
  const { rows } = await db.raw(TAKE, {
    id: installationId,
    minute_burst: minute.burst,
    minute_rate: minute.refill / 60,
    minute_floor: floorOf(minute, kind),
    hour_burst: hour.burst,
    hour_rate: hour.refill / 3600,
    hour_floor: floorOf(hour, kind),
  });
  const [{ ok, retry_at }] = rows as [{ ok: boolean; retry_at: Date }];
  return ok ? { ok: true } : { ok: false, retryAt: retry_at };
}
