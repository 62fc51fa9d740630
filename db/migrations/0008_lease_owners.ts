import type { Knex } from 'knex';

/** Who holds a lease, so that the leases of a dead worker end with it and not with their time. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table effects add column lease_owner uuid;
    alter table specs add column status_lease_owner uuid;
    create index effects_leased on effects (lease_owner) where lease_until is not null;
    create index specs_status_leased on specs (status_lease_owner) where status_lease_until is not null;
  `);
}
