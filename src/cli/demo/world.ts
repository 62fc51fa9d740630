import { randomBytes } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadConfig, secretsOf } from '../../config.ts';
import { startEmbeddedPostgres } from '../../db/embedded/start.ts';
import { type Emulator, startEmulator } from '../../emulator/emulator.ts';
import { type DemoWorld, seedDemo } from '../../emulator/seed.ts';
import { FatalError } from '../../errors.ts';
import { createLogger } from '../../log.ts';
import { type Running, startProcess } from '../../main.ts';

/** Everything that the demo runs, in one folder of its own. */
export interface Stage {
  readonly github: Emulator;
  readonly world: DemoWorld;
  readonly app: Running;
  readonly logFile: string;
  close(): Promise<void>;
}

/** The kernel features that isolate a sandbox are Linux's; elsewhere the demo says that its sandbox is unsafe. */
export const canIsolate = process.platform === 'linux';

const SCRIPT = fileURLToPath(new URL('../demo-script.json', import.meta.url));

/** Starts the emulated GitHub, a database and the App. */
export async function openStage(): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'specwright-demo-'));
  // The database runs as another user, which has to get through to its own folder.
  await chmod(folder, 0o711);
  const webhookSecret = randomBytes(32).toString('hex');
  const [github, postgres] = await Promise.all([
    startEmulator(),
    startEmbeddedPostgres({
      dataDir: join(folder, 'postgres'),
      durable: false,
      dieWithParent: true,
      removeOnStop: true,
    }),
  ]);
  const world = await seedDemo(github, { webhookSecret });
  const read = loadConfig({
    APP_ID: String(world.app.id),
    PRIVATE_KEY: world.app.privateKey,
    WEBHOOK_SECRET: webhookSecret,
    PORT: '0',
    DATABASE_URL: postgres.url,
    DATA_DIR: folder,
    GHE_HOST: new URL(github.url).host,
    GHE_PROTOCOL: 'http',
    LOG_LEVEL: 'info',
    AGENT: 'scripted',
    AGENT_SCRIPT: SCRIPT,
    ...(canIsolate ? {} : { SANDBOX_UNSAFE: 'process' }),
  });
  if (!read.ok)
    throw new FatalError(read.problems.map(({ name, problem }) => `${name} ${problem}`).join('; '));
  const logFile = join(folder, 'app.log');
  const destination = { write: (line: string) => appendFileSync(logFile, line) };
  const log = createLogger({ level: 'info', secrets: secretsOf(read.config), destination });
  const app = await startProcess(read.config, { log });
  github.setWebhookUrl(world.app.id, `${app.url}/api/github/webhooks`);
  return {
    github,
    world,
    app,
    logFile,
    async close() {
      await app.stop();
      await Promise.all([github.close(), postgres.stop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
