/*
 * One row an installation: until when GitHub wants no calls of it. Calls that go on while limited can get an App banned.
 *
 * Race ledger
 * - Several calls are under way when the first is refused → their refusals belong to the same limit and are no further
 *   strikes; the latest time that GitHub asks for wins, which is a minute where a refusal names none.
 * - A call looks, and is sent in the moment in which another one is refused → it was on its way; the next one waits.
 */
import type { Db } from './types.ts';

/**
 * Where GitHub names no time: a minute, then twice as long each time, at most an hour.
 * https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
 */
const FIRST_WAIT_SECONDS = 60;
const LONGEST_WAIT_SECONDS = 3600;
/** A limit that comes so long after the last one has another cause. */
const FORGIVEN_MINUTES = 15;

const LIMITED = `
  insert into github_limits as l (installation_id, limited_until, strikes)
  values (:id, specwright_now() + make_interval(secs => coalesce(cast(:seconds as float8), ${FIRST_WAIT_SECONDS})), 1)
  on conflict (installation_id) do update set
    strikes = ${strikes()},
    limited_until = greatest(l.limited_until, specwright_now() + make_interval(secs => coalesce(cast(:seconds as float8),
      case when l.limited_until > specwright_now() then ${FIRST_WAIT_SECONDS}
      else least(${LONGEST_WAIT_SECONDS}, ${FIRST_WAIT_SECONDS} * 2 ^ (${strikes()} - 1)) end)))`;

function strikes(): string {
  return `(case when l.limited_until > specwright_now() then l.strikes
    when l.limited_until > specwright_now() - interval '${FORGIVEN_MINUTES} minutes' then least(l.strikes + 1, 10)
    else 1 end)`;
}

/** The limits that GitHub set, by the database's clock; each question costs one look at a primary key. */
export function createGitHubLimits(db: Db) {
  return {
    async waitMs(installationIds: readonly number[]): Promise<number> {
      const { rows } = await db.raw(
        `select extract(epoch from max(limited_until) - specwright_now())::float8 as seconds
         from github_limits where installation_id = any(?) and limited_until > specwright_now()`,
        [[...installationIds]],
      );
      return Math.ceil((rows[0]?.seconds ?? 0) * 1000);
    },
    async limited(installationId: number, afterMs: number | undefined): Promise<void> {
      const seconds = afterMs === undefined ? null : afterMs / 1000;
      await db.raw(LIMITED, { id: installationId, seconds });
    },
  };
}
