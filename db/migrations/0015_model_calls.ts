import type { Knex } from 'knex';

/**
 * Places of an installation's specs, and calls to model providers with what they cost, in millionths of a dollar. `model_spend` adds them up by whom a budget
 * is for, so that a call is reserved by one statement over locked rows.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table specs add column place_at timestamptz;
    create index specs_waiting on specs (installation_id, created_at)
      where status in ('queued', 'planning', 'executing');
    create table model_calls (
      id uuid primary key,
      spec_id uuid not null references specs (id),
      sandbox_id uuid not null,
      run_id uuid,
      api text not null,
      model text not null,
      state text not null check (state in ('open', 'settled', 'lost', 'refused')),
      charged jsonb not null default '[]',
      reserved bigint not null default 0,
      cost bigint not null default 0,
      input_tokens bigint not null default 0,
      cache_read_tokens bigint not null default 0,
      cache_write_tokens bigint not null default 0,
      output_tokens bigint not null default 0,
      measured text not null default 'reported' check (measured in ('reported', 'estimated')),
      priced text not null default 'listed' check (priced in ('listed', 'dearest')),
      refusal jsonb,
      status integer,
      retry_at timestamptz,
      opened_at timestamptz not null default specwright_now(),
      settled_at timestamptz
    );
    create index model_calls_spec on model_calls (spec_id, opened_at);
    create index model_calls_open on model_calls (sandbox_id) where state = 'open';
    create table model_spend (
      scope text not null,
      owner text not null,
      period text not null,
      spent bigint not null default 0,
      reserved bigint not null default 0,
      open integer not null default 0,
      primary key (scope, owner, period)
    );
  `);
}
