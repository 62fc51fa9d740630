import knex, { type Knex } from 'knex';
import pg from 'pg';
import { UserError } from '../errors.ts';
import { giveUpOnSilence } from './silence.ts';

export interface ConnectOptions {
  poolSize: number;
  /** Shown in pg_stat_activity. */
  applicationName: string;
  /** For statements that may take long (migrations): a connection that died unheard is waited for. */
  patient?: boolean;
}

/** Type id of int8 in PostgreSQL's catalogue. */
const INT8 = 20;

/** Parsers for our own connections; the driver's global ones stay as other libraries expect them. */
const types = {
  // Both drivers' type definitions promise more than they use, each in its own way; this is what they call.
  getTypeParser(oid: number, format?: 'text' | 'binary'): (text: string) => unknown {
    if (oid === INT8 && format !== 'binary') return parseInt8;
    return pg.types.getTypeParser(oid, format) as (text: string) => unknown;
  },
} as pg.CustomTypesConfig & Knex.PgCustomTypesConfig;

/** GitHub's ids are below 2^53; a larger number would be another row's id after rounding, so it is an error. */
function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError('an int8 from the database is no safe integer');
  return value;
}

/** Limits that keep one stuck client from stopping the others, in milliseconds. */
const limits = {
  statement_timeout: 5_000,
  lock_timeout: 2_000,
  idle_in_transaction_session_timeout: 10_000,
  connectionTimeoutMillis: 5_000,
};

function silent(): void {}

/** A knex instance on its own pool: int8 as number (RangeError beyond 2^53), timestamptz as Date, short timeouts. */
export function connectDatabase(url: string, options: ConnectOptions): Knex {
  return knex({
    client: 'pg',
    connection: { connectionString: url, application_name: options.applicationName, types, ...limits },
    pool: {
      min: 0,
      max: options.poolSize,
      afterCreate: (client: pg.Client, done: (error: Error | null, client: pg.Client) => void) => {
        if (!options.patient) giveUpOnSilence(client);
        done(null, client);
      },
    },
    acquireConnectionTimeout: 5_000,
    // What knex prints it also throws; printed, it would put statements and values into the log.
    log: { warn: silent, error: silent, debug: silent, deprecate: silent },
  });
}

/** Codes of the network and of PostgreSQL that mean the URL or its server, and not our use of it. */
const UNREACHABLE =
  /^(ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|28000|28P01|3D000|42501|57P03)$/;

/** Asks the server once. @throws UserError when it can't be reached or does not let us in */
export async function expectDatabase(db: Knex): Promise<void> {
  try {
    await db.raw('select 1');
  } catch (error) {
    const code = String((error as { code?: unknown }).code);
    if (!UNREACHABLE.test(code)) throw error;
    throw new UserError(
      `The database that DATABASE_URL names can't be used (${code}). Check that it runs, and its host, user, password and name.`,
    );
  }
}

/**
 * A plain pg pool for the few hot, named statements. `size` is its number of connections; waiting for one fails after
 * 5 s, as does a statement.
 */
export function createPool(url: string, size: number): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: size,
    application_name: 'specwright-hot',
    types,
    ...limits,
    // The server's own limit can't act if the server is not reached.
    query_timeout: 5_000,
  });
  // A connection that breaks while idle is replaced at the next use; without a listener it would end the process.
  pool.on('error', () => {});
  return pool;
}
