import type { Db } from './types.ts';

/** Seconds since a moment, by the clock that judges deadlines. */
export async function secondsSince(db: Db, moment: Date): Promise<number> {
  const { rows } = await db.raw(
    'select extract(epoch from specwright_now() - ?::timestamptz)::float as seconds',
    [moment.toISOString()],
  );
  return Math.max(0, rows[0].seconds);
}
