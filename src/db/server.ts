import { migrations } from '../../db/migrations/index.ts';
import type { Db } from './types.ts';

/** What an operator may want to know of the database behind DATABASE_URL; nothing is written for it. */
export interface ServerState {
  /** As PostgreSQL counts: 180004 is 18.4. */
  readonly version: number;
  /** The server's clock minus this machine's, in seconds. */
  readonly aheadSeconds: number;
  /** Names of migrations that are still to be applied. */
  readonly pending: readonly string[];
  /** GUIDs of deliveries that were given up, newest first; at most a hundred. */
  readonly parked: readonly string[];
}

/** Looks at the server and at what is in it, whichever schema it has by now. */
export async function readServer(db: Db): Promise<ServerState> {
  const before = Date.now();
  const { rows } = await db.raw(
    `select current_setting('server_version_num')::int as version, clock_timestamp() as now,
       to_regclass('knex_migrations') is not null as migrated, to_regclass('deliveries') is not null as deliveries`,
  );
  const [{ version, now, migrated, deliveries }] = rows;
  const aheadSeconds = (now.getTime() - (before + Date.now()) / 2) / 1000;
  const applied = new Set<string>(migrated ? await db('knex_migrations').pluck('name') : []);
  const pending = Object.keys(migrations).filter((name) => !applied.has(name));
  return { version, aheadSeconds, pending, parked: deliveries ? await listParked(db) : [] };
}

async function listParked(db: Db): Promise<string[]> {
  return db('deliveries').where({ state: 'parked' }).orderBy('seq', 'desc').limit(100).pluck('guid');
}
