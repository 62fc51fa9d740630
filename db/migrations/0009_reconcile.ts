import type { Knex } from 'knex';

/**
 * What is needed to notice that webhooks were lost: how far each sweep has come and who is at it, the deliveries that
 * GitHub tells of and we do not have, and what was last seen of each installation and repository. `requested_at` is
 * GitHub's time of the label that asked for a spec, so that the same label told late asks for nothing more.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table sweeps (
      name text primary key,
      state jsonb not null default '{}',
      lease_owner uuid,
      lease_until timestamptz,
      finished_at timestamptz
    );
    create table missed_deliveries (
      guid text primary key,
      delivery_id bigint not null,
      event text not null,
      action text,
      delivered_at timestamptz not null,
      acknowledged boolean not null,
      state text not null default 'open' check (state in ('open', 'arrived', 'fed', 'expired', 'given_up')),
      attempts integer not null default 0,
      retry_at timestamptz not null default specwright_now(),
      found_at timestamptz not null default specwright_now()
    );
    create index missed_deliveries_due on missed_deliveries (retry_at) where state = 'open';
    create table reconciled_installations (
      installation_id bigint primary key,
      checked_at timestamptz not null
    );
    create table reconciled_repositories (
      repository_id bigint primary key,
      since timestamptz not null,
      checked_at timestamptz,
      label text,
      label_read_at timestamptz,
      pushed_at text,
      seen jsonb not null default '{}',
      judged jsonb not null default '{}'
    );
    alter table specs add column requested_at timestamptz;
  `);
}
