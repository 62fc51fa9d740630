import type { Knex } from 'knex';

/** A run's git tokens until they are revoked, sealed: what a process leaves behind when it dies is revoked by another. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table git_tokens (
      id uuid primary key,
      sandbox_id uuid not null,
      installation_id bigint not null,
      sealed bytea not null,
      expires_at timestamptz not null
    );
  `);
}
