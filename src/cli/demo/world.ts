import { randomBytes } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { chmod, copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Closers, openOrClose } from '../../closers.ts';
import { type Config, loadConfig, secretsOf, WEBHOOK_PATH } from '../../config.ts';
import { startEmbeddedPostgres } from '../../db/embedded/start.ts';
import { type Emulator, GITHUB_SECONDARY_LIMITS, startEmulator } from '../../emulator/emulator.ts';
import { type DemoOptions, type DemoWorld, seedDemo } from '../../emulator/seed.ts';
import { UserError } from '../../errors.ts';
import { createLogger } from '../../log.ts';
import { type Running, startProcess } from '../../main.ts';

/** Everything that the demo runs, in one folder of its own. */
export interface Stage {
  readonly github: Emulator;
  readonly world: DemoWorld;
  readonly app: Running;
  /** Where the App's log will be after `keepLog`. */
  readonly logFile: string;
  /** Lets the log outlive the stage, for a demo that did not go as it should. */
  keepLog(): Promise<void>;
  close(): Promise<void>;
}

/** The kernel features that isolate a sandbox are Linux's; elsewhere the demo says that its sandbox is unsafe. */
export const canIsolate = process.platform === 'linux';

const SCRIPT = fileURLToPath(new URL('../demo-script.json', import.meta.url));

export interface StageOptions {
  /** The file that the scripted agent plays; the demo's own when unset. */
  readonly script?: string | undefined;
  readonly names?: DemoOptions['names'];
  readonly files?: DemoOptions['files'];
}

/** Starts the emulated GitHub, a database and the App, each of its own. */
export function openStage(options: StageOptions = {}): Promise<Stage> {
  return openOrClose((closers) => open(options, closers));
}

async function open({ script = SCRIPT, ...seed }: StageOptions, closers: Closers): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'specwright-demo-'));
  closers.add(() => rm(folder, { recursive: true, force: true }));
  // The database runs as another user, which has to get through to its own folder.
  await chmod(folder, 0o711);
  const webhookSecret = randomBytes(32).toString('hex');
  const github = await startEmulator();
  github.hooks.secondaryLimits = GITHUB_SECONDARY_LIMITS;
  closers.add(() => github.close());
  const postgres = await startEmbeddedPostgres({
    dataDir: join(folder, 'postgres'),
    durable: false,
    dieWithParent: true,
    removeOnStop: true,
  });
  closers.add(() => postgres.stop());
  const world = await seedDemo(github, { webhookSecret, ...seed });
  const config = configOf({ github, world, webhookSecret, folder, script, databaseUrl: postgres.url });
  const runningLog = join(folder, 'app.log');
  const logFile = `${folder}.log`;
  const destination = { write: (line: string) => appendFileSync(runningLog, line) };
  const log = createLogger({ level: 'info', secrets: secretsOf(config), destination });
  const app = await startProcess(config, { log });
  closers.add(() => app.stop());
  github.setWebhookUrl(world.app.id, `${app.url}${WEBHOOK_PATH}`);
  const keepLog = () => copyFile(runningLog, logFile);
  return { github, world, app, logFile, keepLog, close: () => closers.closeAll() };
}

interface Parts {
  readonly github: Emulator;
  readonly world: DemoWorld;
  readonly webhookSecret: string;
  readonly folder: string;
  readonly script: string;
  readonly databaseUrl: string;
}

function configOf(parts: Parts): Config {
  const read = loadConfig({
    APP_ID: String(parts.world.app.id),
    PRIVATE_KEY: parts.world.app.privateKey,
    WEBHOOK_SECRET: parts.webhookSecret,
    PORT: '0',
    DATABASE_URL: parts.databaseUrl,
    DATA_DIR: parts.folder,
    GHE_HOST: new URL(parts.github.url).host,
    GHE_PROTOCOL: 'http',
    LOG_LEVEL: 'info',
    // Nothing is lost here, and the report counts the calls of one spec.
    DELIVERY_SWEEP_MINUTES: '0',
    RECONCILE_MINUTES: '0',
    AGENT: 'scripted',
    AGENT_SCRIPT: parts.script,
    ...(canIsolate ? {} : { SANDBOX_UNSAFE: 'process' }),
  });
  if (read.ok) return read.config;
  throw new UserError(read.problems.map(({ name, problem }) => `${name} ${problem}.`).join('\n'));
}
