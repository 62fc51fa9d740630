import type { Knex } from 'knex';

/** One intent. At most one live spec an issue, one branch a name, whatever races. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table specs (
      id uuid primary key default gen_random_uuid(),
      repository_id bigint not null references projects (repository_id),
      installation_id bigint not null,
      issue_number integer not null,
      issue_labels text[] not null default '{}',
      issue_type text,
      title text not null,
      body text not null,
      frozen_hash text not null,
      requester_id bigint not null,
      requester_login text not null,
      settings jsonb not null,
      status text not null default 'queued' check (status in (
        'queued', 'planning', 'awaiting_approval', 'executing', 'publishing', 'pr_failed', 'in_review',
        'merged', 'closed', 'failed', 'cancelled')),
      phase text check (phase in (
        'explore', 'requirements', 'design', 'tasks', 'sync', 'execute', 'verify', 'publish')),
      attempt integer not null default 1 check (attempt > 0),
      round integer not null default 1 check (round > 0),
      hold jsonb,
      version bigint not null default 1,
      generation integer not null default 0,
      cause text,
      base_branch text,
      base_sha text,
      branch_name text,
      checkpoint_sha text,
      head_sha text,
      pull_template text,
      pull_request_number integer,
      pull_request_url text,
      merge_sha text,
      merged_at timestamptz,
      status_comment_id bigint,
      status_published_version bigint not null default 0,
      status_published_at timestamptz,
      status_lease_until timestamptz,
      phase_started_at timestamptz,
      publishing_since timestamptz,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      ended_at timestamptz,
      unique (repository_id, branch_name)
    );
    create unique index specs_one_live on specs (repository_id, issue_number)
      where status not in ('merged', 'closed', 'failed', 'cancelled');
    create index specs_by_pull_request on specs (repository_id, pull_request_number);
    create index specs_by_issue on specs (repository_id, issue_number);
    create table spec_events (
      spec_id uuid not null references specs (id),
      seq integer not null,
      type text not null,
      phase text,
      attempt integer not null,
      payload jsonb not null,
      created_at timestamptz not null default now(),
      primary key (spec_id, seq),
      unique nulls not distinct (spec_id, type, phase, attempt)
    );
    create table audit (
      id bigint generated always as identity primary key,
      spec_id uuid,
      repository_id bigint,
      actor text not null,
      action text not null,
      decision text not null,
      reason text,
      delivery text,
      at timestamptz not null default now()
    );
    create index audit_by_spec on audit (spec_id);
  `);
}
