import type { Knex } from 'knex';
import { migrationSource } from '../../db/migrations/index.ts';
import { crashPoint } from '../crash-point.ts';

/** Any fixed number: whoever migrates holds it. */
const MIGRATION_LOCK = 7_210_993;

/**
 * Applies what is missing, all or nothing, and returns the names of what this call applied. Several processes may call
 * it at once: one applies, the others wait for it (up to 60 s) and find nothing to do. A crash leaves no lock behind.
 */
export async function migrate(db: Knex, source = migrationSource()): Promise<string[]> {
  return await db.transaction(async (trx) => {
    await trx.raw("set local statement_timeout = 0; set local lock_timeout = '60s'");
    await trx.raw('select pg_advisory_xact_lock(?)', [MIGRATION_LOCK]);
    const [, applied] = (await trx.migrate.latest({
      migrationSource: source,
      disableTransactions: true,
    })) as [number, string[]];
    crashPoint('migrate.before-commit');
    return applied;
  });
}
