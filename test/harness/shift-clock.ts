import type { Knex } from 'knex';

/** Lets `seconds` pass on the clock by which deadlines are judged, at once and for every session of a database. */
export async function shiftClock(db: Knex, seconds: number): Promise<void> {
  const { rows } = await db.raw('select extract(epoch from specwright_now() - now())::int as shift');
  const shift = rows[0].shift + seconds;
  await db.raw(
    `create or replace function specwright_now() returns timestamptz language sql stable as
     $$ select now() + interval '${shift} seconds' $$`,
  );
}
