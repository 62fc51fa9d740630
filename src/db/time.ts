import type { Db, Trx } from './types.ts';

/** Seconds since a moment, by the clock that judges deadlines. */
export async function secondsSince(db: Db, moment: Date): Promise<number> {
  const { rows } = await db.raw(
    'select extract(epoch from specwright_now() - ?::timestamptz)::float as seconds',
    [moment.toISOString()],
  );
  return Math.max(0, rows[0].seconds);
}

/** The database's date, `2026-03-31`. */
export async function today(db: Db | Trx): Promise<string> {
  const { rows } = await db.raw(`select to_char(specwright_now(), 'YYYY-MM-DD') as day`);
  return rows[0].day;
}
