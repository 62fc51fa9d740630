import type { Knex } from 'knex';

/** What planning gives: artifacts, approvals, tickets, tasks and their order. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table artifacts (
      spec_id uuid not null references specs (id),
      phase text not null,
      attempt integer not null,
      schema_version integer not null,
      content jsonb not null,
      hash text not null,
      failures jsonb not null default '[]',
      accepted boolean not null,
      created_at timestamptz not null default now(),
      primary key (spec_id, phase, attempt)
    );
    create unique index artifacts_one_accepted on artifacts (spec_id, phase) where accepted;
    create table approvals (
      spec_id uuid not null references specs (id),
      hash text not null,
      approver_id bigint not null,
      approver_login text not null,
      created_at timestamptz not null default now(),
      primary key (spec_id, hash, approver_id)
    );
    create table tickets (
      spec_id uuid not null references specs (id),
      id text not null,
      ordinal integer not null,
      title text not null,
      description text not null,
      state text not null default 'open' check (state in ('open', 'done')),
      primary key (spec_id, id)
    );
    create table tasks (
      spec_id uuid not null references specs (id),
      ordinal integer not null,
      id text not null,
      ticket_id text not null,
      title text not null,
      content jsonb not null,
      state text not null default 'pending' check (state in ('pending', 'done', 'closed')),
      attempt integer not null default 1,
      feedback text,
      commit_sha text,
      done_at timestamptz,
      primary key (spec_id, ordinal),
      unique (spec_id, id),
      foreign key (spec_id, ticket_id) references tickets (spec_id, id)
    );
    create table task_dependencies (
      spec_id uuid not null,
      ordinal integer not null,
      depends_on integer not null check (depends_on <> ordinal),
      primary key (spec_id, ordinal, depends_on),
      foreign key (spec_id, ordinal) references tasks (spec_id, ordinal),
      foreign key (spec_id, depends_on) references tasks (spec_id, ordinal)
    );
  `);
}
