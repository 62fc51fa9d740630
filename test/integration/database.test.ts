import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, chown, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { migrations } from '../../db/migrations/index.ts';
import { connectDatabase, createPool } from '../../src/db/connect.ts';
import { isAlive } from '../../src/db/embedded/postmaster.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/db/embedded/start.ts';
import { migrate } from '../../src/db/migrate.ts';
import { freshDatabase } from '../harness/database.ts';
import { until } from '../harness/until.ts';

describe('the embedded server', () => {
  let folder: string;
  const started: EmbeddedPostgres[] = [];
  const children: ChildProcess[] = [];
  const start = async ({ durable = false } = {}) => {
    const server = await startEmbeddedPostgres({ dataDir: folder, durable, dieWithParent: true });
    started.push(server);
    return server;
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'specwright-db-'));
    await chmod(folder, 0o711);
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    for (const server of started.splice(0)) await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('keeps what was committed over a stop and a start', async () => {
    const first = await start();
    await run(first.url, 'create table kept as select 42 as answer');
    await first.stop();
    expect(isAlive(first.pid)).toBe(false);
    const second = await start();
    expect(second.adopted).toBe(false);
    expect(await run(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
  });

  test('is adopted by the next start after its app was killed, and then stops with that', async () => {
    const app = await startApp(folder, { dieWithParent: false });
    children.push(app.child);
    await run(app.url, 'create table kept as select 42 as answer');
    await kill(app.child);
    expect(isAlive(app.pid)).toBe(true);
    const next = await start();
    expect(next).toMatchObject({ adopted: true, pid: app.pid, url: app.url });
    expect(await run(next.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
    await next.stop();
    expect(isAlive(app.pid)).toBe(false);
  });

  test('goes with its app where that was asked for, and takes its folder along', async () => {
    const app = await startApp(folder, { dieWithParent: true, removeOnStop: true });
    await kill(app.child);
    await until(() => !isAlive(app.pid));
    await until(async () => (await stat(folder).catch(() => undefined)) === undefined);
    expect(isAlive(app.pid)).toBe(false);
  });

  test('recovers after it was itself killed', async () => {
    const first = await start({ durable: true });
    await run(first.url, 'create table kept as select 42 as answer');
    process.kill(first.pid, 'SIGKILL');
    await until(() => !isAlive(first.pid));
    const second = await start({ durable: true });
    expect(second.adopted).toBe(false);
    expect(await run(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
  });

  test('is not confused by a stale pid file that names a process of somebody else', async () => {
    const first = await start();
    await first.stop();
    const data = join(first.folder, 'cluster', 'data');
    await writeFile(
      join(data, 'postmaster.pid'),
      `${process.pid}\n${data}\n1\n5432\n\n127.0.0.1\n1 1\nready   \n`,
    );
    if (process.getuid?.() === 0) await chown(join(data, 'postmaster.pid'), 65_534, 65_534);
    const second = await start();
    expect(second.adopted).toBe(false);
    expect(await run(second.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('two starts at once share one server, which stays until both are done with it', async () => {
    const [app, own] = await Promise.all([startApp(folder, { dieWithParent: false }), start()]);
    children.push(app.child);
    expect(own).toMatchObject({ pid: app.pid, url: app.url });
    await own.stop();
    expect(isAlive(own.pid)).toBe(true);
    app.child.stdin?.end();
    await until(() => !isAlive(own.pid));
  });

  test('runs under an ordinary uid from a folder which that uid can reach, and says which', async () => {
    await chmod(folder, 0o700);
    const said: string[] = [];
    const server = await startEmbeddedPostgres({
      dataDir: join(folder, 'inner'),
      durable: false,
      dieWithParent: true,
      removeOnStop: true,
      log: (message) => said.push(message),
    });
    started.push(server);
    const [{ data }] = (await run(server.url, "select current_setting('data_directory') as data")) as [
      { data: string },
    ];
    const root = process.getuid?.() === 0;
    expect((await stat(data)).uid).toBe(root ? 65_534 : process.getuid?.());
    expect(said.join()).toMatch(root ? /can't pass through .*specwright-db-/ : /^$/);
    const password = await stat(join(dirname(data), 'password'));
    expect(password.mode & 0o777).toBe(0o600);
    expect(password.uid).toBe(process.getuid?.());
  });

  test('takes no connection without the password and listens on the loopback only', async () => {
    const server = await start();
    const wrong = new URL(server.url);
    wrong.password = 'wrong';
    await expect(run(wrong.href, 'select 1')).rejects.toThrow(/password authentication failed/);
    expect(await run(server.url, 'show listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
    const arguments_ = await readFile(`/proc/${server.pid}/cmdline`, 'utf8').catch(() => '');
    expect(arguments_).not.toContain(new URL(server.url).password);
  });
});

describe('connections', () => {
  test('give int8 as a number, refuse what a number cannot hold, and give timestamptz as a date', async () => {
    const { db, drop } = await freshDatabase();
    const row = await one(db, "select 5000000000::int8 as id, '2026-01-01T00:00:00Z'::timestamptz as at");
    expect(row).toEqual({ id: 5_000_000_000, at: new Date('2026-01-01T00:00:00Z') });
    await expect(db.raw('select 9007199254740993::int8')).rejects.toThrow(/no safe integer/);
    await drop();
  });

  test('carry the short timeouts that keep one stuck client from stopping the others', async () => {
    const { url, db, drop } = await freshDatabase();
    const pool = createPool(url, 1);
    for (const name of ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout']) {
      const expected = {
        statement_timeout: '5s',
        lock_timeout: '2s',
        idle_in_transaction_session_timeout: '10s',
      }[name];
      expect(Object.values(await one(db, `show ${name}`))).toEqual([expected]);
      expect(Object.values((await pool.query(`show ${name}`)).rows[0])).toEqual([expected]);
    }
    await pool.end();
    await drop();
  });
});

describe('migrations', () => {
  test('are applied once each when five processes start at the same time', async () => {
    const { url, db, drop } = await freshDatabase({ template: 'template1' });
    const starters = Array.from({ length: 5 }, () =>
      connectDatabase(url, { poolSize: 1, applicationName: 'starter' }),
    );
    const applied = await Promise.all(starters.map((starter) => migrate(starter)));
    expect(applied.flat().sort()).toEqual(Object.keys(migrations));
    expect(await db('knex_migrations').orderBy('id').pluck('name')).toEqual(Object.keys(migrations));
    await Promise.all(starters.map((starter) => starter.destroy()));
    await drop();
  });

  test('are all or nothing: a failing one leaves no table and no lock behind', async () => {
    const { db, drop } = await freshDatabase({ template: 'template1' });
    const broken = {
      getMigrations: async () => ['0001_good', '0002_bad'],
      getMigrationName: (name: string) => name,
      getMigration: async (name: string) => ({
        up: async (knex: typeof db) => {
          await knex.raw(name === '0001_good' ? 'create table good (id int)' : 'select 1/0');
        },
        down: async () => {},
      }),
    };
    await expect(migrate(db, broken)).rejects.toThrow(/division by zero/);
    expect((await one(db, "select to_regclass('good') as good")).good).toBeNull();
    expect(await migrate(db)).toEqual(Object.keys(migrations));
    await drop();
  });
});

async function one(
  db: Awaited<ReturnType<typeof freshDatabase>>['db'],
  sql: string,
): Promise<Record<string, unknown>> {
  return (await db.raw(sql)).rows[0];
}

async function run(url: string, sql: string): Promise<unknown[]> {
  const db = connectDatabase(url, { poolSize: 1, applicationName: 'test' });
  try {
    return (await db.raw(sql)).rows;
  } finally {
    await db.destroy();
  }
}

/** Another process that starts the server and stops it when its standard input ends. */
async function startApp(
  dataDir: string,
  options: { dieWithParent: boolean; removeOnStop?: boolean },
): Promise<{ child: ChildProcess; url: string; pid: number }> {
  const module = new URL('../../src/db/embedded/start.ts', import.meta.url).href;
  const program = `
    import { startEmbeddedPostgres } from ${JSON.stringify(module)};
    const server = await startEmbeddedPostgres(${JSON.stringify({ dataDir, durable: false, ...options })});
    console.log(JSON.stringify(server));
    process.stdin.resume().on('end', () => server.stop());
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const line = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', (code) => reject(new Error(`the app ended with ${code}`)));
  });
  return { child, ...(JSON.parse(line) as { url: string; pid: number }) };
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}
