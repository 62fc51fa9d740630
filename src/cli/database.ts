import { resolve } from 'node:path';
import type { Closers } from '../closers.ts';
import { connectDatabase, expectDatabase } from '../db/connect.ts';
import { startEmbeddedPostgres } from '../db/embedded/start.ts';
import { migrate } from '../db/migrate.ts';
import { readServer } from '../db/server.ts';
import type { Db } from '../db/types.ts';
import { UserError } from '../errors.ts';

/**
 * The App's own database: the one that DATABASE_URL names, or the embedded one, whether the App runs or not. `migrates`
 * brings its schema up to date, as a start of the App does.
 * @throws UserError when it can't be used, or its schema is not that of this version
 */
export async function openDatabase(
  closers: Closers,
  { applicationName, migrates = false }: { applicationName: string; migrates?: boolean },
): Promise<Db> {
  let url = process.env.DATABASE_URL;
  if (!url) {
    const embedded = await startEmbeddedPostgres({
      dataDir: resolve(process.env.DATA_DIR ?? '.data', 'postgres'),
    });
    closers.add(() => embedded.stop());
    url = embedded.url;
  }
  const db = connectDatabase(url, { poolSize: 2, applicationName });
  closers.add(() => db.destroy());
  await expectDatabase(db);
  const { pending } = await readServer(db);
  if (pending.length === 0) return db;
  if (!migrates)
    throw new UserError(
      'The schema of this database is not up to date, so nothing can be done in it. Set DATABASE_URL (or DATA_DIR) to that of the App, and run "npm run migrate" or start the App once.',
    );
  await bringUpToDate(url);
  return db;
}

async function bringUpToDate(url: string): Promise<void> {
  const db = connectDatabase(url, { poolSize: 1, applicationName: 'specwright-migrate', patient: true });
  try {
    await migrate(db);
  } finally {
    await db.destroy();
  }
}
