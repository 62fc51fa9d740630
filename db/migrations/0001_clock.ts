import type { Knex } from 'knex';

/**
 * Deadlines are judged by this one function. Tests shift it with
 * `alter database … set specwright.clock_offset = '90 seconds'`; outside tests nothing sets it.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create function specwright_now() returns timestamptz language sql stable as $$
      select now() + coalesce(nullif(current_setting('specwright.clock_offset', true), ''), '0')::interval
    $$
  `);
}
