import { connectDatabase, expectDatabase } from '../db/connect.ts';
import { migrate } from '../db/migrate.ts';
import { loadDotEnv } from './environment.ts';

/** `specwright migrate`: brings the schema of DATABASE_URL up to date. `start` does so by itself. */
export async function migrateDatabase(): Promise<number> {
  loadDotEnv();
  const url = process.env.DATABASE_URL;
  if (!url) {
    process.stderr.write('Set DATABASE_URL. The embedded PostgreSQL is migrated by "npm start".\n');
    return 78;
  }
  const db = connectDatabase(url, { poolSize: 1, applicationName: 'specwright-migrate', patient: true });
  try {
    await expectDatabase(db);
    const applied = await migrate(db);
    process.stdout.write(applied.length > 0 ? `Applied ${applied.join(', ')}.\n` : 'Nothing to do.\n');
    return 0;
  } finally {
    await db.destroy();
  }
}
