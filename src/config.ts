import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Environment, environmentSchema, type VariableName } from './config-schema.ts';
import { variables } from './config-variables.ts';
import { readPrivateKey } from './private-key.ts';

/** Where GitHub's webhooks come in: the path that Probot uses too. */
export const WEBHOOK_PATH = '/api/github/webhooks';

/** What the process was told, checked once at start and frozen. */
export interface Config {
  readonly appId: number;
  /** PEM text. */
  readonly privateKey: string;
  readonly webhookSecret: string;
  readonly webhookSecretPrevious: string | null;
  /** 0: any free port. */
  readonly port: number;
  readonly host: string;
  /** Without a trailing slash. */
  readonly publicUrl: string | null;
  readonly webhookProxyUrl: string | null;
  readonly apiToken: string | null;
  readonly logLevel: Environment['LOG_LEVEL'];
  readonly github: {
    /** Host of a GitHub Enterprise Server, or null for github.com. */
    readonly host: string | null;
    readonly protocol: 'https' | 'http';
    /** Base URL of the REST API, without a trailing slash. */
    readonly apiUrl: string;
    /** Base URL of pages and git, without a trailing slash. */
    readonly webUrl: string;
  };
  /** Null: the embedded PostgreSQL. */
  readonly databaseUrl: string | null;
  /** Absolute. */
  readonly dataDir: string;
  readonly role: Environment['ROLE'];
  readonly sandbox: { readonly provider: 'local'; readonly unsafe: 'process' | null };
  /** Null: specs end at preflight with a text that says so. */
  readonly agent: { readonly driver: 'scripted'; readonly script: string } | null;
  readonly times: {
    readonly heartbeatTimeoutSeconds: number;
    readonly statusIntervalSeconds: number;
    readonly gatherTimeoutSeconds: number;
    readonly gatherWaitMinutes: number;
    readonly pullRetryMinutes: number;
    readonly branchGraceDays: number;
    /** 0: off. */
    readonly deliverySweepMinutes: number;
    /** 0: off. */
    readonly reconcileMinutes: number;
    readonly drainSeconds: number;
  };
}

/** One thing to set right. Neither text ever quotes a value. */
export interface ConfigProblem {
  readonly name: VariableName;
  readonly problem: string;
  /** Begins with "Set". */
  readonly fix: string;
}

export type ConfigReading =
  | { readonly ok: true; readonly config: Config }
  | {
      readonly ok: false;
      /** `no_credentials`: nothing of an App was given, so the steps to get one help more than a list of faults. */
      readonly kind: 'no_credentials' | 'invalid';
      readonly problems: readonly ConfigProblem[];
    };

type Found = { readonly name: VariableName; readonly problem: string };

/**
 * Reads the environment (and the files that it names) into a frozen configuration, or names every problem at once
 * with what to set. Never throws.
 */
export function loadConfig(env: NodeJS.ProcessEnv): ConfigReading {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value?.trim()));
  const parsed = environmentSchema.safeParse(given);
  const key = readKey(given);
  const found: Found[] = [
    ...(parsed.success ? [] : parsed.error.issues.map(foundOf)),
    ...missing(given),
    ...(key.ok ? [] : [key.found]),
    ...(parsed.success ? contradictions(parsed.data) : []),
  ];
  if (parsed.success && key.ok && found.length === 0) {
    return { ok: true, config: freeze(build(parsed.data, key.pem)) };
  }
  const none = !given.APP_ID && !given.PRIVATE_KEY && !given.PRIVATE_KEY_PATH;
  return { ok: false, kind: none ? 'no_credentials' : 'invalid', problems: found.map(withFix) };
}

/** Every secret value of a configuration, for the censor. */
export function secretsOf(config: Config): string[] {
  const password = config.databaseUrl ? new URL(config.databaseUrl).password : '';
  return [
    config.privateKey,
    config.webhookSecret,
    config.webhookSecretPrevious,
    config.apiToken,
    config.databaseUrl,
    decodeURIComponent(password),
  ].filter((value) => value !== null && value !== '') as string[];
}

function foundOf(issue: { path: PropertyKey[]; message: string }): Found {
  return { name: issue.path[0] as VariableName, problem: issue.message };
}

function withFix({ name, problem }: Found): ConfigProblem {
  return { name, problem, fix: `Set ${variables[name].fix}.` };
}

function missing(given: NodeJS.ProcessEnv): Found[] {
  const found: Found[] = [];
  if (!given.APP_ID) found.push({ name: 'APP_ID', problem: 'is not set' });
  if (!given.WEBHOOK_SECRET) {
    found.push({ name: 'WEBHOOK_SECRET', problem: 'is not set, so anybody could send webhooks' });
  }
  return found;
}

function readKey(given: NodeJS.ProcessEnv): { ok: true; pem: string } | { ok: false; found: Found } {
  const name = given.PRIVATE_KEY || !given.PRIVATE_KEY_PATH ? 'PRIVATE_KEY' : 'PRIVATE_KEY_PATH';
  const text = name === 'PRIVATE_KEY' ? given.PRIVATE_KEY : readFile(given.PRIVATE_KEY_PATH ?? '');
  if (text === null) return { ok: false, found: { name, problem: 'names a file that cannot be read' } };
  if (!text) return { ok: false, found: { name, problem: 'is not set' } };
  const read = readPrivateKey(text);
  return read.ok ? read : { ok: false, found: { name, problem: read.problem } };
}

function readFile(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Missing, a folder, or not ours to read: the operator is told which variable named it.
    return null;
  }
}

/** What no variable shows alone. */
function contradictions(env: Environment): Found[] {
  const found: Found[] = [];
  if (env.SANDBOX_PROVIDER === 'daytona') {
    found.push({
      name: 'SANDBOX_PROVIDER',
      problem: 'names daytona, which is not available in this version',
    });
  }
  if (env.GHE_PROTOCOL === 'http' && !isLoopback(env.GHE_HOST)) {
    found.push({
      name: 'GHE_PROTOCOL',
      problem: 'is http, which would send tokens unencrypted to another machine',
    });
  }
  if (env.AGENT === 'scripted' && !env.AGENT_SCRIPT) {
    found.push({ name: 'AGENT_SCRIPT', problem: 'is not set, but AGENT is scripted' });
  }
  if (!env.AGENT && env.AGENT_SCRIPT) {
    found.push({ name: 'AGENT', problem: 'is not set, so AGENT_SCRIPT would never be played' });
  }
  if (env.AGENT_SCRIPT && readFile(env.AGENT_SCRIPT) === null) {
    found.push({ name: 'AGENT_SCRIPT', problem: 'names a file that cannot be read' });
  }
  return found;
}

function isLoopback(host: string | undefined): boolean {
  return host !== undefined && /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?$/.test(host);
}

function build(env: Environment, privateKey: string): Config {
  return {
    appId: env.APP_ID ?? 0,
    privateKey,
    webhookSecret: env.WEBHOOK_SECRET ?? '',
    webhookSecretPrevious: env.WEBHOOK_SECRET_PREVIOUS ?? null,
    port: env.PORT,
    host: env.HOST,
    publicUrl: env.PUBLIC_URL ?? null,
    webhookProxyUrl: env.WEBHOOK_PROXY_URL ?? null,
    apiToken: env.API_TOKEN ?? null,
    logLevel: env.LOG_LEVEL,
    github: githubUrls(env),
    databaseUrl: env.DATABASE_URL ?? null,
    dataDir: resolve(env.DATA_DIR),
    role: env.ROLE,
    sandbox: { provider: 'local', unsafe: env.SANDBOX_UNSAFE ?? null },
    agent: env.AGENT && env.AGENT_SCRIPT ? { driver: env.AGENT, script: resolve(env.AGENT_SCRIPT) } : null,
    times: {
      heartbeatTimeoutSeconds: env.HEARTBEAT_TIMEOUT_SECONDS,
      statusIntervalSeconds: env.STATUS_INTERVAL_SECONDS,
      gatherTimeoutSeconds: env.GATHER_TIMEOUT_SECONDS,
      gatherWaitMinutes: env.GATHER_WAIT_MINUTES,
      pullRetryMinutes: env.PULL_RETRY_MINUTES,
      branchGraceDays: env.BRANCH_GRACE_DAYS,
      deliverySweepMinutes: env.DELIVERY_SWEEP_MINUTES,
      reconcileMinutes: env.RECONCILE_MINUTES,
      drainSeconds: env.DRAIN_SECONDS,
    },
  };
}

function githubUrls(env: Environment): Config['github'] {
  const host = env.GHE_HOST ?? null;
  const webUrl = host ? `${env.GHE_PROTOCOL}://${host}` : 'https://github.com';
  const apiUrl = host ? `${webUrl}/api/v3` : 'https://api.github.com';
  return { host, protocol: env.GHE_PROTOCOL, apiUrl, webUrl };
}

function freeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === 'object' && part !== null) freeze(part);
  return Object.freeze(value);
}
