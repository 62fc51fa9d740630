import type { Knex } from 'knex';

/** One row a webhook, keyed by GitHub's GUID: a redelivery keeps its GUID, so it can't be stored twice. The row is the job. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table deliveries (
      guid text primary key,
      seq bigint generated always as identity unique,
      event text not null,
      bytes bytea not null,
      received_at timestamptz not null default now(),
      state text not null default 'pending'
        check (state in ('pending', 'handled', 'ignored', 'unreadable', 'parked')),
      lane text,
      action text,
      installation_id bigint,
      gathered jsonb,
      attempts integer not null default 0,
      retry_at timestamptz,
      claimed_until timestamptz,
      reason text,
      finished_at timestamptz
    );
    alter table deliveries alter column bytes set storage external;
    create index deliveries_unrouted on deliveries (seq) where state = 'pending' and lane is null;
    create index deliveries_lanes on deliveries (lane, seq) where state = 'pending';
  `);
}
