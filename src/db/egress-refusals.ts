import type { Db } from './types.ts';

export interface EgressRefusalRow {
  host: string;
  port: number;
  /** Why: "not_allowed", "private_address", "no_such_host". */
  why: string;
  times: number;
}

/** Hosts of one spec that are kept: a program that tries names at random must not fill the database. */
const MOST_HOSTS = 200;

/** Counts one refusal. Answers whether the host is new to the spec. */
export async function countRefusal(
  db: Db,
  refusal: { specId: string; host: string; port: number; why: string },
): Promise<boolean> {
  const { specId, host, port, why } = refusal;
  const { rows } = await db.raw<{ rows: { times: string }[] }>(
    `insert into egress_refusals as r (spec_id, host, port, why)
     select :specId, :host, :port, :why where (
       select count(*) from egress_refusals where spec_id = :specId) < :most
       or exists (select from egress_refusals where spec_id = :specId and host = :host and port = :port)
     on conflict (spec_id, host, port) do update set times = r.times + 1, why = excluded.why, last_at = specwright_now()
     returning times`,
    { specId, host, port, why, most: MOST_HOSTS },
  );
  return Number(rows[0]?.times ?? 0) === 1;
}

/** What a spec's sandboxes asked for and did not get, most often asked first. */
export async function listRefusals(db: Db, specId: string, limit: number): Promise<EgressRefusalRow[]> {
  const rows = await db('egress_refusals')
    .where({ spec_id: specId })
    .orderBy([{ column: 'times', order: 'desc' }, 'host', 'port'])
    .limit(limit)
    .select('host', 'port', 'why', 'times');
  return rows.map((row) => ({ ...row, times: Number(row.times) }));
}
