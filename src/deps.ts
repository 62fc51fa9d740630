/** Where database, jobs, GitHub and sandboxes are constructed; services get them handed. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Fastify from 'fastify';
import { PgBoss } from 'pg-boss';
import { drivers } from './agent/registry.ts';
import { parseScript } from './agent/script.ts';
import { systemClock } from './clock.ts';
import { type Closers, openOrClose } from './closers.ts';
import type { Config } from './config.ts';
import { connectDatabase, createPool, expectDatabase } from './db/connect.ts';
import { startEmbeddedPostgres } from './db/embedded/start.ts';
import { createGatewayStore } from './db/gateway-store.ts';
import { createGitTokenStore } from './db/git-tokens.ts';
import { createGitHubLimits } from './db/github-limits.ts';
import { migrate } from './db/migrate.ts';
import type { Db } from './db/types.ts';
import { createWriteBudget } from './db/write-budget.ts';
import { messageOf, UserError } from './errors.ts';
import { censoredGitHub } from './github/censored.ts';
import { createGitHub, type GitHub } from './github/client.ts';
import type { SentCall } from './github/wire.ts';
import { GATEWAY_PREFIX } from './http/gateway/backend.ts';
import { gateway } from './http/gateway/plugin.ts';
import { serveOnSocket } from './http/gateway/socket.ts';
import type { RootLogger } from './log.ts';
import { createLocalProvider } from './sandbox/local.ts';
import type { SandboxProvider } from './sandbox/provider.ts';
import { createKeyring, createSealer } from './seal.ts';
import type { Agents } from './services/agents/choose.ts';
import { type Credentials, createCredentials } from './services/credentials/resolve.ts';
import { SEALING_PURPOSE } from './services/credentials/sealed-row.ts';
import type { Deps, SandboxChoice, Timing } from './services/deps.ts';
import { createJobs, createQueues } from './services/jobs/jobs.ts';
import { listPrices, type PriceTable, parsePrices } from './services/models/prices.ts';
import { bundleRunner, type RunnerBundle } from './services/sandboxes/bundle.ts';
import { createGitTokens, type GitTokens } from './services/sandboxes/git-tokens.ts';
import { createKeptTokens } from './services/sandboxes/kept-tokens.ts';
import { createBackend } from './services/steps/backend.ts';

/** Everything a process holds open. */
export interface Opened {
  readonly deps: Deps;
  readonly boss: PgBoss;
  readonly databaseUrl: string;
  /** What the gateway asks, on the sandboxes' sockets as on the public port. */
  readonly backend: ReturnType<typeof createBackend>;
  readonly gitTokens: GitTokens;
  /** Null in a process that runs no sandboxes. */
  readonly provider: SandboxProvider | null;
  close(): Promise<void>;
}

export interface OpenOptions {
  /** Whether this process makes sandboxes and takes jobs. */
  readonly worker: boolean;
  /** Sees every call to GitHub. */
  readonly onCall?: (call: SentCall) => void;
}

/** For the statements that calls through the gateway wait for. */
const GATEWAY_CONNECTIONS = 4;

/** Opens database, jobs, GitHub and sandboxes. @throws UserError with what to set right */
export function openDeps(config: Config, log: RootLogger, options: OpenOptions): Promise<Opened> {
  return openOrClose((closers) => open(config, options, { log, closers }));
}

async function open(
  config: Config,
  options: OpenOptions,
  { log, closers }: { log: RootLogger; closers: Closers },
): Promise<Opened> {
  const bundle = await bundleRunner();
  const agents = openAgents(config, bundle);
  const databaseUrl = config.databaseUrl ?? (await startEmbedded(config, log, closers));
  const db = connectDatabase(databaseUrl, { poolSize: 12, applicationName: 'specwright' });
  closers.add(() => db.destroy());
  await expectDatabase(db);
  await migrateOnce(databaseUrl);
  const boss = await startJobs(databaseUrl, log, { closers, works: options.worker });
  const gatewayApp = Fastify();
  closers.add(() => gatewayApp.close());
  const provider = options.worker ? openProvider(config, log) : null;
  closers.add(async () => provider?.close());
  const github = openGitHub(config, { db, log, ...(options.onCall ? { onCall: options.onCall } : {}) });
  const sealer = createSealer(config.privateKey, 'git tokens');
  const gitTokens = createGitTokens(
    createKeptTokens({ github, store: createGitTokenStore(db), sealer, log }),
  );
  const hot = createPool(databaseUrl, GATEWAY_CONNECTIONS);
  closers.add(() => hot.end());
  const deps: Deps = {
    db,
    gateway: createGatewayStore(hot),
    jobs: createJobs(boss),
    github,
    credentials: openCredentials(config, db, log),
    egress: { trusted: config.egressTrusted },
    models: {
      prices: readPrices(config.models.prices),
      installationDayUsd: config.models.installationDayUsd,
      specsAtOnce: config.models.specsAtOnce,
    },
    clock: systemClock,
    log,
    timing: timingOf(config),
    agents,
    sandboxes: await probeSandboxes(provider, log),
    runnerFiles: [{ path: '/opt/specwright/runner.mjs', content: bundle['runner.mjs'] }],
    serveGateway: async (socketPath, sandboxId) => {
      const served = await serveOnSocket(gatewayApp, backend, { socketPath, sandboxId });
      return {
        close: async () => {
          await served.close();
          await gitTokens.release(sandboxId);
        },
      };
    },
    workerId: randomUUID(),
    publicUrl: config.publicUrl,
  };
  const backend = createBackend(deps, gitTokens);
  await gatewayApp.register(gateway(backend), { prefix: GATEWAY_PREFIX });
  await gatewayApp.ready();
  return { deps, boss, databaseUrl, backend, gitTokens, provider, close: () => closers.closeAll() };
}

function openGitHub(
  config: Config,
  { db, log, ...more }: { db: Db; log: RootLogger } & Pick<OpenOptions, 'onCall'>,
): GitHub {
  const github = createGitHub({
    appId: config.appId,
    privateKey: config.privateKey,
    host: config.github.host ?? undefined,
    protocol: config.github.protocol,
    budget: createWriteBudget(db),
    limits: createGitHubLimits(db),
    clock: systemClock,
    log,
    userAgent: 'specwright',
    ...more,
  });
  return censoredGitHub(github, log.censor);
}

function openCredentials({ credentials: config }: Config, db: Db, log: RootLogger): Credentials {
  const keyring = createKeyring(config.keys, SEALING_PURPOSE);
  return createCredentials({ db, keyring, config, registerSecret: log.registerSecret });
}

/** The list prices with the deployment's own laid over them. @throws UserError for a file that is no price table */
function readPrices(file: string | null): PriceTable {
  if (file === null) return listPrices;
  const read = parsePrices(readFileSync(file, 'utf8'));
  if (!read.ok) throw new UserError(`MODEL_PRICES: ${read.problem}`);
  return { ...listPrices, ...read.prices };
}

/** On a connection of its own: what waits for another process that migrates looks like a dead one. */
async function migrateOnce(url: string): Promise<void> {
  const db = connectDatabase(url, { poolSize: 1, applicationName: 'specwright-migrate', patient: true });
  try {
    await migrate(db);
  } finally {
    await db.destroy();
  }
}

async function startEmbedded(config: Config, log: RootLogger, closers: Closers): Promise<string> {
  const embedded = await startEmbeddedPostgres({
    dataDir: join(config.dataDir, 'postgres'),
    log: (message) => log.info({ component: 'postgres' }, message),
  });
  closers.add(() => embedded.stop());
  return embedded.url;
}

/** More than pg-boss's longest statement takes, its schema's creation. */
const JOB_QUERY_MS = 15_000;

/** A process that only asks for jobs neither listens for them nor looks after them: that is for those that work. */
async function startJobs(
  url: string,
  log: RootLogger,
  { closers, works }: { closers: Closers; works: boolean },
): Promise<PgBoss> {
  const options = {
    connectionString: url,
    application_name: 'specwright-jobs',
    max: 6,
    // A connection that died unheard is given up; pg-boss watches the one that listens by itself.
    query_timeout: JOB_QUERY_MS,
    connectionTimeoutMillis: 5000,
    useListenNotify: works,
    supervise: works,
    superviseIntervalSeconds: 1,
    monitorIntervalSeconds: 1,
    schedule: false,
  };
  const boss = new PgBoss(options);
  boss.on('error', (error) => log.warn({ error: messageOf(error) }, 'job queue trouble'));
  closers.add(() => boss.stop({ graceful: false }));
  await boss.start();
  await createQueues(boss);
  return boss;
}

function timingOf({ times }: Config): Timing {
  return {
    statusIntervalSeconds: times.statusIntervalSeconds,
    heartbeatTimeoutSeconds: times.heartbeatTimeoutSeconds,
    heartbeatMs: Math.min(HEARTBEAT_MS, Math.floor((times.heartbeatTimeoutSeconds * 1000) / 3)),
    pullRetryMinutes: times.pullRetryMinutes,
    branchGraceDays: times.branchGraceDays,
    gatherTimeoutMs: times.gatherTimeoutSeconds * 1000,
    sweepSeconds: SWEEP_SECONDS,
  };
}

/** Two of them may get lost before a sandbox counts as dead. */
const HEARTBEAT_MS = 30_000;
const SWEEP_SECONDS = 30;

function openProvider(config: Config, log: RootLogger): SandboxProvider {
  const unsafe = config.sandbox.unsafe === 'process';
  const sandboxLog = log.child({ component: 'sandbox' });
  const root = join(config.dataDir, 'sandboxes');
  return createLocalProvider({ root, unsafe, log: sandboxLog, agents: config.agents.cliDir });
}

/** Runs the real profile once. Never falls back silently: without isolation there is no sandbox at all. */
async function probeSandboxes(provider: SandboxProvider | null, log: RootLogger): Promise<SandboxChoice> {
  if (!provider) return { kind: 'elsewhere' };
  const probe = await provider.probe();
  if (!probe.ok) {
    log.error(
      { reason: probe.reason, fix: probe.fix },
      'sandboxes cannot be isolated here, so none is started',
    );
    return { kind: 'none', reason: probe.reason, fix: probe.fix };
  }
  if (!probe.isolated) {
    log.warn({ detail: probe.detail }, 'UNSAFE: sandboxes are plain processes without isolation');
  }
  return { kind: 'ready', provider, isolated: probe.isolated };
}

/** @throws UserError for a script that can't be played */
function openAgents(config: Config, bundle: RunnerBundle): Agents {
  const clis = Object.fromEntries(Object.values(drivers).map(({ name, cli }) => [name, cli]));
  const agents: Agents = { override: null, preferred: config.agents.preferred, files: [], clis };
  if (config.agent === null) return agents;
  const text = readFileSync(config.agent.script, 'utf8');
  const script = parseScript(text);
  if (!script.ok) throw new UserError(`AGENT_SCRIPT: ${script.problems.join('; ')}`);
  return {
    ...agents,
    override: { driver: config.agent.driver, scripted: true },
    files: [
      { path: '/opt/specwright/scripted-agent.mjs', content: bundle['scripted-agent.mjs'] },
      { path: '/opt/specwright/script.json', content: text },
    ],
  };
}
