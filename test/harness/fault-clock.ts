import { setTimeout as delay } from 'node:timers/promises';
import type { Knex } from 'knex';
import { sized } from './claims.ts';

/** The database's clock of a test, which jumps over the times in which nothing happens. */
export interface FaultClock {
  /**
   * Epoch milliseconds by the shifted clock: while it jumps, what is asked then may go by the time before the jump
   * (`earliest`) or by that after it (`latest`).
   */
  now(): { readonly earliest: number; readonly latest: number };
  /** Seconds that were jumped over so far. */
  readonly jumped: number;
  /** Jumps to the next moment at which something is due. */
  jump(): Promise<void>;
  /** Whether something is being done, in the database's view. */
  busy(): Promise<boolean>;
}

const POLL_MS = 20;
const LONGEST_STEP = sized(3600, 300);

/** What pg-boss tells its workers when a job is sent, or each jump would wait for them to look by themselves. */
const WAKE_WORKERS = `
  select pg_notify('pgboss_' || left(encode(sha224('pgboss'::bytea), 'hex'), 24), name)
  from (select distinct name from pgboss.job where state in ('created', 'retry') and start_after <= now()) due`;

/** Puts the clock of a fresh database into the test's hands: its deadlines, and the times of its jobs. */
export async function ownClock(db: Knex): Promise<FaultClock> {
  await db.raw(`
    create table test_clock (shift interval not null);
    insert into test_clock values ('0');
    create or replace function specwright_now() returns timestamptz language sql stable as
      $$ select now() + (select shift from test_clock) $$;
  `);
  let jumped = 0;
  let landed = 0;
  const clock: FaultClock = {
    now: () => ({ earliest: Date.now() + landed * 1000, latest: Date.now() + jumped * 1000 }),
    get jumped() {
      return jumped;
    },
    async jump() {
      const { rows } = await db.raw(
        `select extract(epoch from min(at))::float8 as seconds from (
           select start_after - now() as at from pgboss.job where state in ('created', 'retry')
             and start_after > now()
           union all select retry_at - specwright_now() from deliveries where state = 'pending'
             and retry_at > specwright_now()
         ) due`,
      );
      // Later and later steps, or an hour of small retries would take an hour of jumps; no longer than the longest
      // pause between two tries, or a day would pass in a few of them.
      const step = Math.min(LONGEST_STEP, (jumped - 120) / 8);
      const seconds = Math.max(rows[0].seconds ?? 5, 0.5, step) + 0.1;
      jumped += seconds;
      await db.raw(`update test_clock set shift = shift + make_interval(secs => ?)`, [seconds]);
      landed = jumped;
      await db.raw(
        `update pgboss.job set start_after = start_after - make_interval(secs => ?)
         where state in ('created', 'retry')`,
        [seconds],
      );
      await db.raw(`select pg_notify('deliveries', '')`);
      await db.raw(WAKE_WORKERS);
      await delay(POLL_MS);
    },
    async busy() {
      const { rows } = await db.raw(
        `select exists (select from pgboss.job where state = 'active'
             or (state in ('created', 'retry') and start_after <= now()))
           or exists (select from deliveries where state = 'pending' and lane is not null
             and (claimed_until > specwright_now() or coalesce(retry_at, '-infinity') <= specwright_now()))
           as busy`,
      );
      return rows[0].busy;
    },
  };
  return clock;
}
