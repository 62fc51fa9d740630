import type { Knex } from 'knex';
import { migrationSource } from './migrations/index.ts';

/** For knex's own command line; the app itself migrates through src/db/migrate.ts. */
const config: Knex.Config = {
  client: 'pg',
  connection: process.env.DATABASE_URL,
  migrations: { migrationSource: migrationSource(), disableTransactions: true },
};

export default config;
