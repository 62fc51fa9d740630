import type { Knex } from 'knex';

/**
 * Until when GitHub wants no calls of an installation (0: of the App itself), known to all processes; since when it is
 * unclear whether a comment that was sent has arrived; and when a status that could not be shown is tried again.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table github_limits (
      installation_id bigint primary key,
      limited_until timestamptz not null,
      strikes integer not null default 1
    );
    alter table effects add column unclear_at timestamptz;
    alter table specs add column status_unclear_at timestamptz;
    alter table specs add column status_tries integer not null default 0;
    alter table specs add column status_retry_at timestamptz;
  `);
}
