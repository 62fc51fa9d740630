import type { Knex } from 'knex';

/**
 * A delivery is stored with three index entries rather than five: its key, its place among the unrouted, and nothing
 * for its lane before it has one. `seq` comes from an identity column, so it needs no index to be unique. Emptying old
 * bodies looks at those that still have one.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table deliveries drop constraint deliveries_seq_key;
    drop index deliveries_lanes;
    create index deliveries_lanes on deliveries (lane, seq) where state = 'pending' and lane is not null;
    create index deliveries_kept on deliveries (received_at) where state <> 'pending' and octet_length(bytes) > 0;
  `);
}
