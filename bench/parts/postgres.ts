/** The PostgreSQL of a measurement: the embedded one as in production (real fsync), in a folder of its own. */
import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import knex, { type Knex } from 'knex';
import { connectDatabase } from '../../src/db/connect.ts';
import { startEmbeddedPostgres } from '../../src/db/embedded/start.ts';
import { onDatabase } from '../../test/harness/database.ts';

export interface BenchPostgres {
  /** Creates an empty database and answers its URL with a connection to it. */
  create(name: string): Promise<{ url: string; db: Knex }>;
  /** Ends the server and removes its data, whoever is still connected. */
  stop(): Promise<void>;
}

/** Starts the server; it ends with this process, however that ends. */
export async function startBenchPostgres(): Promise<BenchPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'specwright-bench-'));
  await chmod(folder, 0o711);
  const server = await startEmbeddedPostgres({ dataDir: folder, dieWithParent: true, removeOnStop: true });
  const open: Knex[] = [connectDatabase(server.url, { poolSize: 1, applicationName: 'bench-admin' })];
  return {
    async create(name) {
      await open[0]!.raw('create database ??', [name]);
      const url = onDatabase(server.url, name);
      // Without the App's time limits: a checkpoint takes as long as it takes.
      const db = knex({ client: 'pg', connection: url, pool: { min: 0, max: 2 } });
      open.push(db);
      return { url, db };
    },
    async stop() {
      for (const db of open) await db.destroy();
      await server.stop();
    },
  };
}

/** Leaves the next measurement an empty table and no write-back of the one before; waits for that as long as it takes. */
export async function emptyDeliveries(db: Knex): Promise<void> {
  await db.raw('truncate deliveries');
  await db.raw('checkpoint');
}
