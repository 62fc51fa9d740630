import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PgBoss } from 'pg-boss';
import { connectDatabase } from '../../src/db/connect.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/db/embedded/start.ts';
import { migrate } from '../../src/db/migrate.ts';
import { createQueues } from '../../src/services/jobs/jobs.ts';
import { onDatabase, TEMPLATE, TEST_SERVER } from './database.ts';

declare global {
  /** Jest offers no other way from setup to teardown. */
  var testServer: EmbeddedPostgres | undefined;
}

/** One server for the whole run, with a migrated database that every test file clones. */
export default async function setUp(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'specwright-test-'));
  await chmod(folder, 0o711);
  const server = await startEmbeddedPostgres({
    dataDir: folder,
    durable: false,
    dieWithParent: true,
    removeOnStop: true,
  });
  globalThis.testServer = server;
  process.env[TEST_SERVER] = server.url;
  const admin = connectDatabase(server.url, { poolSize: 1, applicationName: 'test-setup' });
  await admin.raw(`create database ${TEMPLATE} strategy file_copy`);
  await admin.destroy();
  const template = connectDatabase(onDatabase(server.url, TEMPLATE), {
    poolSize: 1,
    applicationName: 'test-setup',
  });
  await migrate(template);
  await template.destroy();
  await prepareJobs(onDatabase(server.url, TEMPLATE));
}

/** The queues' schema once, and not again by every process that a test starts. */
async function prepareJobs(url: string): Promise<void> {
  const boss = new PgBoss({ connectionString: url, max: 1, schedule: false, supervise: false });
  await boss.start();
  await createQueues(boss);
  await boss.stop({ graceful: false });
}
