import type { Knex } from 'knex';

/**
 * Keys for model APIs, sealed. `owner_id` is GitHub's numeric id of the user or the installation, and null for the whole
 * deployment. A subscription belongs to a person, so the table takes it for nobody else.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table model_credentials (
      id uuid primary key,
      scope text not null check (scope in ('user', 'installation', 'system')),
      owner_id bigint,
      kind text not null check (kind in ('anthropic', 'openai', 'bedrock', 'vertex', 'claude-subscription')),
      sealed bytea not null,
      key_id text not null,
      hint text not null check (char_length(hint) <= 4),
      base_url text,
      created_at timestamptz not null default specwright_now(),
      updated_at timestamptz not null default specwright_now(),
      created_by text not null,
      unique nulls not distinct (scope, owner_id, kind),
      check ((scope = 'system') = (owner_id is null)),
      check (kind <> 'claude-subscription' or (scope = 'user' and base_url is null))
    );
  `);
}
