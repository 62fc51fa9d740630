import { randomBytes } from 'node:crypto';
import type { Knex } from 'knex';
import { connectDatabase } from '../../src/db/connect.ts';

/** Name of the environment variable that carries the server's URL to Jest's workers. */
export const TEST_SERVER = 'SPECWRIGHT_TEST_SERVER';
/** The migrated database that fresh ones are copies of. */
export const TEMPLATE = 'specwright_template';

export interface FreshDatabase {
  url: string;
  db: Knex;
  /** Closes `db` and drops the database, whoever is still connected. */
  drop(): Promise<void>;
}

/** A migrated, empty database of its own (about 12 ms); `template: 'template1'` gives one without our tables. */
export async function freshDatabase(
  options: { template?: string; poolSize?: number } = {},
): Promise<FreshDatabase> {
  const server = process.env[TEST_SERVER];
  if (!server) throw new Error('no test database server: run the tests through jest');
  const name = `t_${randomBytes(6).toString('hex')}`;
  await asAdmin(
    server,
    `create database ${name} template ${options.template ?? TEMPLATE} strategy file_copy`,
  );
  const url = onDatabase(server, name);
  const db = connectDatabase(url, { poolSize: options.poolSize ?? 10, applicationName: 'test' });
  return {
    url,
    db,
    async drop() {
      await db.destroy();
      await asAdmin(server, `drop database ${name} with (force)`);
    },
  };
}

/** The URL of another database on the same server. */
export function onDatabase(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

async function asAdmin(server: string, statement: string): Promise<void> {
  const admin = connectDatabase(server, { poolSize: 1, applicationName: 'test-admin', patient: true });
  try {
    // To make or drop a large database takes as long as the disk wants.
    await admin.raw('set statement_timeout = 0');
    await admin.raw(statement);
  } finally {
    await admin.destroy();
  }
}
