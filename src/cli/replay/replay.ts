import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Closers, openOrClose } from '../../closers.ts';
import { connectDatabase, expectDatabase } from '../../db/connect.ts';
import { startEmbeddedPostgres } from '../../db/embedded/start.ts';
import { readRecorded } from '../../db/recorded.ts';
import { readServer } from '../../db/server.ts';
import { findSpecById } from '../../db/specs.ts';
import type { Db } from '../../db/types.ts';
import { UserError } from '../../errors.ts';
import { loadDotEnv } from '../environment.ts';
import { runAgain } from './delivery.ts';
import { rehearse } from './rehearse.ts';
import { replaySpec } from './spec.ts';

/**
 * `specwright replay <delivery|spec>`: a delivery's GUID puts it back into its lane, where the running App decides it
 * anew (`--dry-run` only says what it would write); a spec's id runs the whole spec on an emulated GitHub and shows
 * each write. Exit code 0 when it went as it should.
 */
export async function replay(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { 'dry-run': { type: 'boolean', default: false } },
  });
  const [id, ...more] = positionals;
  if (!id || more.length > 0) throw new UserError(`Name one delivery or one spec.\n${WHERE}`);
  loadDotEnv();
  return openOrClose(async (closers) => {
    const db = await openDatabase(closers);
    try {
      return await replayOne(db, id, values['dry-run']);
    } finally {
      await closers.closeAll();
    }
  });
}

const WHERE = `  A delivery: the GUID that the log, "specwright doctor" and GitHub's list of recent deliveries show.
  A spec: its id, or the first 8 characters, which its branch carries (spec/<those>-…).`;

async function replayOne(db: Db, id: string, dryRun: boolean): Promise<number> {
  const delivery = await readRecorded(db, id);
  if (delivery) return dryRun ? rehearse(delivery) : runAgain(db, delivery);
  const spec = await findSpecById(db, id);
  if (spec) return replaySpec(db, spec);
  throw new UserError(`There is no delivery and no spec "${id}" in this database.\n${WHERE}`);
}

/** The App's own database: the one that DATABASE_URL names, or the embedded one, whether the App runs or not. */
async function openDatabase(closers: Closers): Promise<Db> {
  let url = process.env.DATABASE_URL;
  if (!url) {
    const embedded = await startEmbeddedPostgres({
      dataDir: resolve(process.env.DATA_DIR ?? '.data', 'postgres'),
    });
    closers.add(() => embedded.stop());
    url = embedded.url;
  }
  const db = connectDatabase(url, { poolSize: 2, applicationName: 'specwright-replay' });
  closers.add(() => db.destroy());
  await expectDatabase(db);
  const { pending } = await readServer(db);
  if (pending.length > 0)
    throw new UserError(
      'The schema of this database is not up to date, so nothing can be read from it. Set DATABASE_URL (or DATA_DIR) to that of the App, and run "npm run migrate" or start the App once.',
    );
  return db;
}
