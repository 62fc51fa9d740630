import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Knex } from 'knex';
import { migrationSource, migrations } from '../../db/migrations/index.ts';
import { connectDatabase } from '../../src/db/connect.ts';
import { migrate } from '../../src/db/migrate.ts';
import { recordClaim, sized } from '../harness/claims.ts';
import { runCli } from '../harness/cli.ts';
import { type FreshDatabase, freshDatabase } from '../harness/database.ts';

const names = Object.keys(migrations);
const STARTERS = 5;

let fresh: FreshDatabase;

beforeEach(async () => {
  fresh = await freshDatabase({ template: 'template1' });
});
afterEach(() => fresh.drop());

// Skipped in the ordinary suite: a process costs half a second of a core, and the ordinary suite has five starters in one process.
const whole = sized(describe.skip, describe);

whole('five processes that start at once', () => {
  const earlier = [...names.keys()];

  test.each(earlier)(
    'on a database with %i migrations apply the rest once each, and all go on',
    async (count) => {
      await migrate(fresh.db, migrationSource(names.slice(0, count)));
      const runs = Array.from({ length: STARTERS }, () =>
        runCli(['migrate'], { cwd: tmpdir(), env: { DATABASE_URL: fresh.url } }),
      );
      expect(await Promise.all(runs.map(({ ended }) => ended))).toEqual(Array(STARTERS).fill(0));
      const said = runs.map(({ stdout }) => stdout().trim());
      expect(said.filter((words) => words.startsWith('Applied'))).toEqual([
        `Applied ${names.slice(count).join(', ')}.`,
      ]);
      expect(said.filter((words) => words === 'Nothing to do.')).toHaveLength(STARTERS - 1);
      expect(await fresh.db('knex_migrations').orderBy('id').pluck('name')).toEqual(names);
      if (count === 0) {
        recordClaim({
          claim: 'five processes migrate at once, from nothing and from each earlier version',
          figure: `${earlier.length} starting points × ${STARTERS} processes, each migration once`,
        });
      }
    },
    60_000,
  );
});

// Migrations that are long applied everywhere don't change any more: the ordinary suite looks at the last ones.
describe('code of the version before', () => {
  test.each(names.slice(sized(-2, 1)))(
    'goes on writing and reading while %s is applied, and after it',
    async (name) => {
      const before = names.slice(0, names.indexOf(name));
      await migrate(fresh.db, migrationSource(before));
      const old = await oldCode(fresh.db);
      const errors: string[] = [];
      let rounds = 0;
      let over = false;
      const running = Promise.all(
        Array.from({ length: 3 }, async () => {
          const db = connectDatabase(fresh.url, { poolSize: 1, applicationName: 'old' });
          while (!over) {
            for (const statement of old)
              await db.raw(statement).catch((error: Error) => errors.push(error.message));
            rounds += 1;
          }
          await db.destroy();
        }),
      );
      const starter = connectDatabase(fresh.url, { poolSize: 1, applicationName: 'new', patient: true });
      await migrate(starter, migrationSource(names.slice(0, names.indexOf(name) + 1)));
      await starter.destroy();
      const then = rounds;
      while (rounds < then + 3) await new Promise((resolve) => setImmediate(resolve));
      over = true;
      await running;
      expect(errors).toEqual([]);
    },
    30_000,
  );
});

interface Column {
  table: string;
  column: string;
}

/**
 * What code of that version does, by the columns that it knows, each by name: every table is read, changed and written,
 * and its clock asked.
 */
async function oldCode(db: Knex): Promise<string[]> {
  const { rows } = await db.raw(`
    select c.table_name as "table", c.column_name as "column"
    from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
    where c.table_schema = 'public' and t.table_type = 'BASE TABLE' and c.table_name not like 'knex_%'
      and c.is_generated = 'NEVER' and c.identity_generation is distinct from 'ALWAYS'
    order by 1, c.ordinal_position`);
  const tables = Map.groupBy(rows as Column[], ({ table }) => table);
  const clock = 'select specwright_now()';
  const ofTables = [...tables].flatMap(([table, columns]) => {
    const list = columns.map(({ column }) => `"${column}"`).join(', ');
    const same = columns.map(({ column }) => `"${column}" = "${column}"`).join(', ');
    return [
      `select ${list} from ${table} limit 1`,
      `update ${table} set ${same}`,
      `insert into ${table} (${list}) select ${list} from ${table} limit 1 on conflict do nothing`,
    ];
  });
  return [clock, ...ofTables];
}

describe('a migration', () => {
  // An index or a constraint may go: whatever old code writes and reads stays possible.
  const FORBIDDEN: readonly [RegExp, string][] = [
    [/\bdrop\s+(table|column|view|function|type)\b/i, 'takes something away'],
    [/\brename\b/i, 'renames something'],
    [/\balter\s+column\b.*\b(type|set\s+not\s+null|drop\s+default)\b/i, 'changes a column'],
    [/\badd\s+column\b(?!.*\bdefault\b).*\bnot\s+null\b/i, 'adds a column that old code does not fill'],
    [/\badd\s+constraint\b(?!.*\bnot\s+valid\b)/i, 'adds a constraint that old code does not know'],
    [/\btruncate\b|\bdelete\s+from\b/i, 'removes rows'],
  ];

  test.each(names.slice(sized(-4, 0)))('%s only adds', async (name) => {
    const statements: string[] = [];
    await migrate(fresh.db, migrationSource(names.slice(0, names.indexOf(name))));
    fresh.db.on('query', ({ sql }: { sql: string }) => statements.push(...sql.split(';')));
    await fresh.db
      .transaction(async (trx) => {
        await migrations[name]!.up(trx);
        await trx.rollback();
      })
      .catch(() => {});
    const ddl = statements.filter((sql) =>
      /\b(create|alter|drop|insert|update|delete|truncate)\b/i.test(sql),
    );
    expect(ddl.length).toBeGreaterThan(0);
    const made = new Set(ddl.flatMap((sql) => /create table (\w+)/i.exec(sql)?.[1] ?? []));
    const found = ddl
      .filter((sql) => !made.has(/alter table (\w+)/i.exec(sql)?.[1] ?? ''))
      .flatMap((sql) =>
        FORBIDDEN.filter(([pattern]) => pattern.test(sql.replaceAll(/\s+/g, ' '))).map(
          ([, why]) => `${why}: ${sql.trim()}`,
        ),
      );
    expect(found).toEqual([]);
  });
});
