import { z } from 'zod';
import { readBaseUrl } from './base-url.ts';
import { parseCredentialKeys } from './credential-keys.ts';

/** GitHub signs with HMAC-SHA-256; a secret shorter than its digest is the weaker part of the two. */
const MIN_SECRET_BYTES = 32;
/** A random hex string of 32 characters has about 14 different ones; "aaaa…" and "12341234…" have few. */
const MIN_DISTINCT_CHARACTERS = 8;

const placeholder =
  /^(?:change[-_ ]?me|replace[-_ ]?me|your[-_ ].*|development|secret|password|todo|example|test|x{3,}|\.{3}|<.*>)$/i;

function isPlaceholder(value: string): boolean {
  return placeholder.test(value);
}

function secret() {
  return z.string().check((context) => {
    const value = context.value;
    const problem = isPlaceholder(value)
      ? 'is a placeholder that anybody can guess'
      : Buffer.byteLength(value) < MIN_SECRET_BYTES
        ? `is shorter than ${MIN_SECRET_BYTES} bytes`
        : new Set(value).size < MIN_DISTINCT_CHARACTERS
          ? 'repeats a few characters and can be guessed'
          : null;
    if (problem) context.issues.push({ code: 'custom', message: problem, input: '' });
  });
}

function whole(min: number, max: number, fallback: number) {
  const error = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,9}$/, { error, abort: true })
    .transform(Number)
    .pipe(z.int({ error }).min(min, { error }).max(max, { error }))
    .default(fallback);
}

function oneOf<const T extends readonly [string, ...string[]]>(values: T) {
  return z.enum(values, { error: `must be ${values.join(' or ')}` });
}

function url(protocols: readonly string[]) {
  return z.string().refine((value) => isUrl(value, protocols), {
    error: `must be a URL that begins with ${protocols.map((name) => `${name}//`).join(' or ')}`,
  });
}

function isUrl(value: string, protocols: readonly string[]): boolean {
  return URL.canParse(value) && protocols.includes(new URL(value).protocol);
}

const webUrl = url(['https:', 'http:'])
  .refine((value) => !URL.canParse(value) || new URL(value).username === '', {
    error: 'must not hold a user name or password',
  })
  .transform((value) => value.replace(/\/+$/, ''));

/** A key that goes into a header; a shorter one could not be censored. */
const apiKey = z
  .string()
  .regex(/^[\x21-\x7e]{16,500}$/, { error: 'is no API key: 16 to 500 printable characters without spaces' });

const credentialKeys = z.string().check((context) => {
  const read = parseCredentialKeys(context.value);
  if (!read.ok) context.issues.push({ code: 'custom', message: read.problem, input: '' });
});

const modelUrl = z.string().check((context) => {
  const read = readBaseUrl(context.value);
  if (!read.ok) context.issues.push({ code: 'custom', message: read.problem, input: '' });
});

const hostname = z.string().regex(/^[A-Za-z0-9.:[\]-]{1,255}$/, {
  error: 'must be a host name, with a port where needed, without https:// and without a path',
});

/**
 * Every variable that the process reads, by name. An empty value counts as unset. What a variable is for stands in
 * `config-variables.ts`; the two are kept in step by their types.
 */
export const environmentSchema = z.object({
  APP_ID: z
    .string()
    .regex(/^[1-9]\d{0,14}$/, { error: 'must be the number that GitHub shows as "App ID"' })
    .transform(Number)
    .optional(),
  PRIVATE_KEY: z.string().optional(),
  PRIVATE_KEY_PATH: z.string().optional(),
  WEBHOOK_SECRET: secret().optional(),
  WEBHOOK_SECRET_PREVIOUS: secret().optional(),
  PORT: whole(0, 65_535, 3000),
  HOST: z.string().default('127.0.0.1'),
  PUBLIC_URL: webUrl.optional(),
  WEBHOOK_PROXY_URL: webUrl.optional(),
  API_TOKEN: secret().optional(),
  LOG_LEVEL: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).default('info'),
  GHE_HOST: hostname.optional(),
  GHE_PROTOCOL: oneOf(['https', 'http']).default('https'),
  DATABASE_URL: url(['postgres:', 'postgresql:']).optional(),
  DATA_DIR: z.string().default('.data'),
  ROLE: oneOf(['all', 'web', 'worker']).default('all'),
  SANDBOX_PROVIDER: oneOf(['local', 'daytona']).default('local'),
  SANDBOX_UNSAFE: oneOf(['process']).optional(),
  AGENT: oneOf(['claude', 'codex', 'command', 'scripted']).optional(),
  AGENT_SCRIPT: z.string().optional(),
  AGENT_CLI_DIR: z.string().optional(),
  CREDENTIAL_KEYS: credentialKeys.optional(),
  ALLOW_CLAUDE_SUBSCRIPTION: oneOf(['no', 'yes']).default('no'),
  ANTHROPIC_API_KEY: apiKey
    .refine((key) => !key.startsWith('sk-ant-oat'), {
      error: "is a subscription's token, which belongs to one person",
    })
    .optional(),
  ANTHROPIC_BASE_URL: modelUrl.optional(),
  OPENAI_API_KEY: apiKey.optional(),
  OPENAI_BASE_URL: modelUrl.optional(),
  EGRESS_TRUSTED_HOSTS: z
    .string()
    .regex(/^[a-z0-9._-]{1,253}(?:,[a-z0-9._-]{1,253}){0,99}$/, {
      error: 'must be names of hosts in lower case, separated by commas',
    })
    .optional(),
  SPECS_AT_ONCE: whole(1, 10_000, 2),
  INSTALLATION_DAY_USD: whole(0, 100_000, 50),
  MODEL_PRICES: z.string().optional(),
  HEARTBEAT_TIMEOUT_SECONDS: whole(10, 3600, 90),
  STATUS_INTERVAL_SECONDS: whole(1, 3600, 10),
  GATHER_TIMEOUT_SECONDS: whole(1, 60, 5),
  GATHER_WAIT_MINUTES: whole(1, 1440, 15),
  PULL_RETRY_MINUTES: whole(1, 1440, 60),
  BRANCH_GRACE_DAYS: whole(0, 3650, 14),
  DELIVERY_SWEEP_MINUTES: whole(0, 1440, 5),
  RECONCILE_MINUTES: whole(0, 1440, 60),
  DRAIN_SECONDS: whole(1, 300, 25),
});

export type Environment = z.infer<typeof environmentSchema>;
export type VariableName = keyof typeof environmentSchema.shape;
