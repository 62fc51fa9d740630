import type { Knex } from 'knex';

/** Hosts that sandboxes asked for and did not get. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table egress_refusals (
      spec_id uuid not null references specs (id),
      host text not null,
      port integer not null,
      why text not null,
      times bigint not null default 1,
      first_at timestamptz not null default specwright_now(),
      last_at timestamptz not null default specwright_now(),
      primary key (spec_id, host, port)
    );
  `);
}
