import type { Knex } from 'knex';

/** Sandboxes, what runs in them and what they say. The row stands before the provider is called. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table workers (
      id uuid primary key,
      pid integer not null,
      started_at timestamptz not null default now()
    );
    create table sandboxes (
      id uuid primary key,
      spec_id uuid not null references specs (id),
      provider text not null,
      repository text not null,
      external_id text,
      owner uuid,
      generation integer not null,
      state text not null default 'requested' check (state in ('requested', 'running', 'closing', 'gone')),
      isolated boolean,
      bearer_hash text,
      heartbeat_at timestamptz not null default specwright_now(),
      end_reason text,
      created_at timestamptz not null default now(),
      ready_at timestamptz,
      ended_at timestamptz,
      unique (spec_id, generation),
      unique (provider, external_id)
    );
    create unique index sandboxes_one_live on sandboxes (spec_id) where state in ('requested', 'running');
    create index sandboxes_unfinished on sandboxes (owner) where state <> 'gone';
    create table runs (
      id uuid primary key,
      spec_id uuid not null references specs (id),
      sandbox_id uuid not null references sandboxes (id),
      step text not null,
      attempt integer not null,
      request jsonb not null,
      state text not null default 'open' check (state in ('open', 'done', 'lost')),
      result jsonb,
      created_at timestamptz not null default now(),
      finished_at timestamptz,
      unique (spec_id, step, attempt)
    );
    create unique index runs_one_open on runs (spec_id) where state = 'open';
    create table run_events (
      sandbox_id uuid not null references sandboxes (id),
      seq integer not null,
      spec_id uuid not null,
      run_id uuid,
      type text not null,
      at timestamptz not null,
      data jsonb not null,
      received_at timestamptz not null default now(),
      primary key (sandbox_id, seq)
    );
    create index run_events_by_spec on run_events (spec_id, received_at);
    create table messages (
      id uuid primary key,
      spec_id uuid not null references specs (id),
      kind text not null check (kind in ('message', 'interrupt')),
      text text not null,
      created_at timestamptz not null default now(),
      delivered_at timestamptz
    );
    create table pushes (
      id uuid primary key,
      spec_id uuid not null references specs (id),
      sandbox_id uuid not null references sandboxes (id),
      ref text not null,
      old_sha text not null,
      new_sha text not null,
      state text not null default 'intended' check (state in ('intended', 'accepted', 'refused', 'unknown')),
      created_at timestamptz not null default now()
    );
    create index pushes_by_spec on pushes (spec_id);
  `);
}
