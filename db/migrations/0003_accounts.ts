import type { Knex } from 'knex';

/** Installations and projects, keyed by GitHub's numeric ids: names change. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table installations (
      id bigint primary key,
      account_id bigint not null,
      account_login text not null,
      account_type text not null,
      permissions jsonb not null default '{}',
      settings jsonb not null default '{}',
      suspended_at timestamptz,
      deleted_at timestamptz,
      updated_at timestamptz not null default now()
    );
    create table projects (
      repository_id bigint primary key,
      installation_id bigint not null,
      owner text not null,
      name text not null,
      default_branch text not null default 'main',
      private boolean not null default false,
      archived_at timestamptz,
      removed_at timestamptz,
      deleted_at timestamptz,
      updated_at timestamptz not null default now()
    );
    create index projects_by_installation on projects (installation_id);
    create table write_budget (
      installation_id bigint primary key,
      minute_tokens double precision not null,
      hour_tokens double precision not null,
      refilled_at timestamptz not null default now()
    );
  `);
}
