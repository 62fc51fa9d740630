import type { Db, Trx } from './types.ts';

/**
 * What is wrong with a live sandbox: nobody heard of it, its step runs on beyond its limit, its runner asks for no
 * more steps, or its spec has no use for it.
 */
export type Trouble = 'silent' | 'overdue' | 'idle' | 'stranded';

/** Bounds by the database's clock, seconds. */
export interface Patience {
  /** Without any sign of life. */
  readonly silent: number;
  /** Beyond the step's own limit, which the runner keeps; the first step's time includes the clone. */
  readonly overdue: number;
  /** Without an open step, while the spec is not held. */
  readonly idle: number;
}

export interface Troubled {
  readonly id: string;
  readonly specId: string;
  readonly trouble: Trouble;
}

const FIND = `
  select s.id, s.spec_id, t.trouble
  from sandboxes s
  join specs p on p.id = s.spec_id
  left join runs r on r.sandbox_id = s.id and r.state = 'open'
  cross join lateral (select case
    when p.status not in ('planning', 'executing') or p.hold ->> 'reason' = 'paused' then 'stranded'
    when s.heartbeat_at < specwright_now() - make_interval(secs => :silent) then 'silent'
    when r.created_at < specwright_now()
      - make_interval(secs => (r.request ->> 'timeoutMs')::float8 / 1000 + :overdue) then 'overdue'
    when r.id is null and s.state = 'running' and p.hold is null
      and greatest(s.ready_at, p.updated_at, (select max(finished_at) from runs where sandbox_id = s.id))
        < specwright_now() - make_interval(secs => :idle) then 'idle'
    end as trouble) t
  where s.state in ('requested', 'running') and t.trouble is not null`;

/** A page of live sandboxes with trouble, in the order of ids. */
export async function listTroubled(
  db: Db,
  patience: Patience,
  page: { after: string | null; limit: number },
): Promise<Troubled[]> {
  const { rows } = await db.raw(
    `${FIND} and (:after::uuid is null or s.id > :after::uuid) order by s.id limit :limit`,
    { ...patience, ...page },
  );
  return rows.map(toTroubled);
}

/** The trouble that one sandbox has now; null when it has none, or is no longer live. */
export async function troubleOf(trx: Trx, id: string, patience: Patience): Promise<Trouble | null> {
  const { rows } = await trx.raw(`${FIND} and s.id = :id`, { ...patience, id });
  return rows[0]?.trouble ?? null;
}

function toTroubled(row: { id: string; spec_id: string; trouble: Trouble }): Troubled {
  return { id: row.id, specId: row.spec_id, trouble: row.trouble };
}
