import type { Db } from '../../src/db/types.ts';

/** Every row of every table, ours and the job queue's, as PostgreSQL writes it; bytes are in hex. */
export async function dumpDatabase(db: Db): Promise<Buffer> {
  const tables = await db('pg_tables')
    .whereNotIn('schemaname', ['pg_catalog', 'information_schema'])
    .select('schemaname', 'tablename');
  const dumps = tables.map(async ({ schemaname, tablename }) => {
    const { rows }: { rows: { row: string }[] } = await db.raw('select t::text as row from ??.?? as t', [
      schemaname,
      tablename,
    ]);
    return rows.map(({ row }) => row).join('\n');
  });
  return Buffer.from((await Promise.all(dumps)).join('\n'));
}
