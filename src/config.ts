import { resolve } from 'node:path';
import type { z } from 'zod';
import { readBaseUrl } from './base-url.ts';
import { contradictions, type Found, readFile } from './config-contradictions.ts';
import { type Environment, environmentSchema, type VariableName } from './config-schema.ts';
import { variables } from './config-variables.ts';
import { parseCredentialKeys } from './credential-keys.ts';
import { readPrivateKey } from './private-key.ts';
import type { NamedKey } from './seal.ts';

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
  /** Plays whatever settings say; null: settings choose. */
  readonly agent: { readonly driver: 'scripted'; readonly script: string } | null;
  readonly agents: {
    /** The agent where no settings name one. */
    readonly preferred: 'claude' | 'codex' | 'command' | null;
    /** A folder in which agents' programs were installed. */
    readonly cliDir: string | null;
  };
  readonly credentials: CredentialsConfig;
  /** Hosts in the operator's own network that sandboxes may reach where settings allow them. */
  readonly egressTrusted: readonly string[];
  readonly models: {
    /** What an installation may spend in a day on calls to models. */
    readonly installationDayUsd: number;
    /** Specs of an installation that are planned and built at once. */
    readonly specsAtOnce: number;
    /** Absolute path of a price table, or null for the list prices alone. */
    readonly prices: string | null;
  };
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

/** What a deployment says about model credentials. */
export interface CredentialsConfig {
  /** The first one seals; none: nothing can be sealed or opened. */
  readonly keys: readonly NamedKey[];
  readonly allowSubscription: boolean;
  /** For everybody, after the database's own. */
  readonly environment: readonly EnvironmentCredential[];
}

export interface EnvironmentCredential {
  readonly kind: 'anthropic' | 'openai';
  readonly variable: VariableName;
  readonly apiKey: string;
  readonly baseUrl: string | null;
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

const credentialVariables = environmentSchema.pick({
  CREDENTIAL_KEYS: true,
  ALLOW_CLAUDE_SUBSCRIPTION: true,
  ANTHROPIC_API_KEY: true,
  ANTHROPIC_BASE_URL: true,
  OPENAI_API_KEY: true,
  OPENAI_BASE_URL: true,
});

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

/** The part of the environment that a deployment's credentials need, for who needs nothing else of it. Never throws. */
export function loadCredentialsConfig(
  env: NodeJS.ProcessEnv,
):
  | { readonly ok: true; readonly config: CredentialsConfig }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] } {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value?.trim()));
  const parsed = credentialVariables.safeParse(given);
  if (parsed.success) return { ok: true, config: freeze(credentialsOf(parsed.data)) };
  return { ok: false, problems: parsed.error.issues.map(foundOf).map(withFix) };
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
    ...secretsOfCredentials(config.credentials),
  ].filter((value) => value !== null && value !== '') as string[];
}

/** The secrets among what a deployment says about model credentials. */
export function secretsOfCredentials({ keys, environment }: CredentialsConfig): string[] {
  return [...keys.map(({ base64 }) => base64), ...environment.map(({ apiKey }) => apiKey)];
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
    agent:
      env.AGENT === 'scripted' && env.AGENT_SCRIPT
        ? { driver: env.AGENT, script: resolve(env.AGENT_SCRIPT) }
        : null,
    agents: {
      preferred: env.AGENT === undefined || env.AGENT === 'scripted' ? null : env.AGENT,
      cliDir: env.AGENT_CLI_DIR ? resolve(env.AGENT_CLI_DIR) : null,
    },
    credentials: credentialsOf(env),
    egressTrusted: (env.EGRESS_TRUSTED_HOSTS ?? '').split(',').filter((host) => host !== ''),
    models: {
      installationDayUsd: env.INSTALLATION_DAY_USD,
      specsAtOnce: env.SPECS_AT_ONCE,
      prices: env.MODEL_PRICES ? resolve(env.MODEL_PRICES) : null,
    },
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

function credentialsOf(env: z.infer<typeof credentialVariables>): CredentialsConfig {
  const read = parseCredentialKeys(env.CREDENTIAL_KEYS ?? '');
  const given = [
    ['anthropic', 'ANTHROPIC_API_KEY', env.ANTHROPIC_BASE_URL],
    ['openai', 'OPENAI_API_KEY', env.OPENAI_BASE_URL],
  ] as const;
  return {
    keys: read.ok ? read.keys : [],
    allowSubscription: env.ALLOW_CLAUDE_SUBSCRIPTION === 'yes',
    environment: given.flatMap(([kind, variable, baseUrl]) => {
      const apiKey = env[variable];
      return apiKey === undefined ? [] : [{ kind, variable, apiKey, baseUrl: addressOf(baseUrl) }];
    }),
  };
}

function addressOf(baseUrl: string | undefined): string | null {
  const read = baseUrl === undefined ? null : readBaseUrl(baseUrl);
  return read?.ok ? read.url : null;
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
