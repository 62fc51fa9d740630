import type { Knex } from 'knex';

/**
 * When a sandbox was given up, so that losses are counted by their own time and not by the start of what was lost; and
 * the name of this database, by which a provider's instances are told from those of another deployment.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table sandboxes add column closed_at timestamptz;
    create table deployment (
      id uuid primary key default gen_random_uuid(),
      single boolean not null default true unique check (single)
    );
    insert into deployment default values;
  `);
}
