import type { Db, Trx } from './types.ts';

export interface SpecEventRow {
  spec_id: string;
  seq: number;
  type: string;
  phase: string | null;
  attempt: number;
  payload: Record<string, unknown>;
  created_at: Date;
}

/**
 * Appends events of a locked spec; one that stands already is skipped. Answers how many were new.
 * The spec's row lock makes the sequence gapless.
 */
export async function appendSpecEvents(
  trx: Trx,
  specId: string,
  events: readonly Pick<SpecEventRow, 'type' | 'phase' | 'attempt' | 'payload'>[],
): Promise<number> {
  let added = 0;
  for (const event of events) {
    const { rowCount } = await trx.raw(
      `insert into spec_events (spec_id, seq, type, phase, attempt, payload, created_at)
       select ?, coalesce(max(seq), 0) + 1, ?, ?, ?, ?, clock_timestamp() from spec_events where spec_id = ?
       on conflict do nothing`,
      [specId, event.type, event.phase, event.attempt, JSON.stringify(event.payload), specId],
    );
    added += rowCount;
  }
  return added;
}

/** Events after a sequence number, oldest first. */
export async function listSpecEvents(
  db: Db | Trx,
  specId: string,
  page: { after: number; limit: number; type: string | null },
): Promise<SpecEventRow[]> {
  const query = db('spec_events').where({ spec_id: specId }).andWhere('seq', '>', page.after);
  if (page.type) query.andWhere({ type: page.type });
  return query.orderBy('seq').limit(page.limit);
}
