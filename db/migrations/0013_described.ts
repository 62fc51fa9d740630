import type { Knex } from 'knex';

/** GitHub's own time of what is known of an account or a repository, so that an event that comes late changes nothing. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table installations add column described_at timestamptz;
    alter table projects add column described_at timestamptz;
  `);
}
