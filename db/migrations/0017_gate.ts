import type { Knex } from 'knex';

/**
 * Whose issue it is and what the diff gate found, which decide whether finished work waits for a person; and under which
 * names GitHub signed the commits, where rules ask for signatures.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table specs
      add column author_id bigint,
      add column author_login text,
      add column author_permission text,
      add column gate jsonb,
      add column needs_signatures boolean not null default false,
      add column signed_shas jsonb;
  `);
}
