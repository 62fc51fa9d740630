import { access, constants } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Config } from '../../config.ts';
import { connectDatabase, expectDatabase } from '../../db/connect.ts';
import { findBinaries } from '../../db/embedded/binaries.ts';
import { serverIdentity } from '../../db/embedded/identity.ts';
import { readServer } from '../../db/server.ts';
import type { Db } from '../../db/types.ts';
import { messageOf, UserError } from '../../errors.ts';
import { attention, type Finding, ok, wrong } from './finding.ts';

/** The oldest PostgreSQL that the schema is tried with. */
const OLDEST_VERSION = 15;
const NOTABLE_SECONDS = 20;

/** Looks at the database that DATABASE_URL names, or at where the embedded one will be. */
export async function checkDatabase(config: Config): Promise<Finding[]> {
  if (config.databaseUrl === null) return [await embedded(config)];
  const db = connectDatabase(config.databaseUrl, { poolSize: 1, applicationName: 'specwright-doctor' });
  try {
    await expectDatabase(db);
    return await look(db);
  } catch (error) {
    const says = error instanceof UserError ? error.message : `It can't be used: ${messageOf(error)}`;
    return [wrong('Database', says, 'Set DATABASE_URL to a PostgreSQL that runs and lets this user in.')];
  } finally {
    await db.destroy();
  }
}

async function look(db: Db): Promise<Finding[]> {
  const server = await readServer(db);
  const findings = [version(server.version), clock(server.aheadSeconds)];
  const { pending, parked } = server;
  findings.push(
    pending.length === 0
      ? ok('Schema', 'It is up to date.')
      : ok(
          'Schema',
          `"npm start" will apply ${pending.length} migrations to it; "npm run migrate" does so now.`,
        ),
  );
  if (parked.length > 0) findings.push(givenUp(parked));
  return findings;
}

function givenUp(parked: readonly string[]): Finding {
  const count = parked.length === 1 ? 'A delivery' : `${parked.length} deliveries`;
  return attention(
    'Deliveries',
    `${count} failed again and again and wait for you.`,
    `Mend the cause, which the log names, then run: npm run replay -- ${parked[0]}`,
  );
}

function version(number: number): Finding {
  const major = Math.floor(number / 10_000);
  if (major >= OLDEST_VERSION) return ok('Database', `PostgreSQL ${major} answers.`);
  return wrong('Database', `It is PostgreSQL ${major}.`, `Use PostgreSQL ${OLDEST_VERSION} or newer.`);
}

/** Deadlines are judged by the database's clock, keys by this one. */
function clock(aheadSeconds: number): Finding {
  const off = Math.round(Math.abs(aheadSeconds));
  if (off <= NOTABLE_SECONDS)
    return ok("Database's clock", `It agrees with this machine's within ${off + 1} s.`);
  const says = `It is ${off} s ${aheadSeconds > 0 ? 'ahead of' : 'behind'} this machine's.`;
  return attention("Database's clock", says, 'Set both clocks right, best by a time service (NTP).');
}

async function embedded({ dataDir }: Config): Promise<Finding> {
  try {
    await findBinaries(serverIdentity());
    await expectWritable(dataDir);
    return ok('Database', `DATABASE_URL is not set: an embedded PostgreSQL keeps its data in ${dataDir}.`);
  } catch (error) {
    return wrong(
      'Database',
      `DATABASE_URL is not set, and the embedded PostgreSQL can't be used: ${messageOf(error)}`,
      'Set DATA_DIR to a folder that this user may write, or DATABASE_URL to a PostgreSQL of your own.',
    );
  }
}

/** The folder itself, or the nearest one above it that exists: the start makes the rest. */
async function expectWritable(folder: string): Promise<void> {
  try {
    await access(folder, constants.W_OK);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (!missing || dirname(folder) === folder) throw error;
    await expectWritable(dirname(folder));
  }
}
