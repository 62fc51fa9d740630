import type { Knex } from 'knex';

/** One row a write to the outside world; its key makes a second one impossible. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table effects (
      effect_key text primary key,
      spec_id uuid references specs (id),
      repository_id bigint not null,
      kind text not null,
      payload jsonb not null,
      state text not null default 'pending' check (state in ('pending', 'sent', 'abandoned')),
      attempts integer not null default 0,
      attempted_at timestamptz,
      lease_until timestamptz,
      retry_at timestamptz,
      external_id text,
      last_error text,
      created_at timestamptz not null default specwright_now(),
      finished_at timestamptz
    );
    create index effects_pending on effects (created_at) where state = 'pending';
    create index effects_by_spec on effects (spec_id);
  `);
}
