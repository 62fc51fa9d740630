import type { Knex } from 'knex';

/** The connection pool. */
export type Db = Knex;

/** An open transaction. */
export type Trx = Knex.Transaction;
