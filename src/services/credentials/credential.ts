import { createPrivateKey } from 'node:crypto';
import { z } from 'zod';
import type { ModelApi } from '../../agent/driver.ts';

/** What a deployment can hold; each speaks one API. */
export const credentialKinds = ['anthropic', 'openai', 'bedrock', 'vertex', 'claude-subscription'] as const;
export type CredentialKind = (typeof credentialKinds)[number];

/** The API of each kind. */
export const apiOf: Readonly<Record<CredentialKind, ModelApi>> = {
  anthropic: 'anthropic',
  openai: 'openai',
  bedrock: 'bedrock',
  vertex: 'vertex',
  'claude-subscription': 'anthropic',
};

/** Goes into a header, so no line ends; a shorter one could not be censored. */
const header = (most: number) =>
  z.string().regex(new RegExp(`^[\\x21-\\x7e]{16,${most}}$`), {
    error: `has to be 16 to ${most} printable characters without spaces`,
  });
/** Becomes a part of a host's name. */
const region = z.string().regex(/^[a-z0-9]+(?:-[a-z0-9]+){0,5}$/, {
  error: 'has to be the name of a region, such as us-east-1',
});

/** A key or a token, as it is sent. */
const keySchema = z.strictObject({ key: header(1000) });

const bedrockSchema = z.strictObject({
  region,
  accessKeyId: z.string().regex(/^[A-Z0-9]{16,128}$/, {
    error: 'has to be the id of an access key, such as AKIA…',
  }),
  secretAccessKey: header(200),
  /** Of temporary credentials only. */
  sessionToken: header(8000).optional(),
});

const serviceAccountSchema = z.object({
  type: z.literal('service_account', { error: 'has to be "service_account"' }).optional(),
  client_email: z.string().regex(/^[^\s@]{1,200}@[^\s@]{1,200}$/, { error: 'has to be an email address' }),
  private_key: z.string().max(10_000).refine(isPrivateKey, { error: 'has to be the PEM text of an RSA key' }),
  private_key_id: z.string().max(200).optional(),
  token_uri: z
    .string()
    .max(200)
    .refine((text) => URL.canParse(text) && new URL(text).protocol === 'https:', {
      error: 'has to begin with https://',
    })
    .optional(),
});

const vertexSchema = z.strictObject({
  project: z.string().regex(/^[a-z0-9][a-z0-9.:-]{2,98}[a-z0-9]$/, {
    error: 'has to be the id of a Google Cloud project',
  }),
  region,
  /** The file that Google Cloud gives for a key of a service account; what is not needed of it is dropped. */
  serviceAccount: serviceAccountSchema,
});

function isPrivateKey(pem: string): boolean {
  try {
    return createPrivateKey(pem).asymmetricKeyType === 'rsa';
  } catch {
    // Whatever Node has against it, it is no key that can sign.
    return false;
  }
}

/** What is sealed of each kind. */
export const secretSchemas = {
  anthropic: keySchema,
  openai: keySchema,
  bedrock: bedrockSchema,
  vertex: vertexSchema,
  'claude-subscription': keySchema,
} as const satisfies Readonly<Record<CredentialKind, z.ZodType>>;

type SecretOf<K extends CredentialKind> = z.infer<(typeof secretSchemas)[K]>;

/** The sealed part of a credential with its kind. Never leaves the process but to the provider. */
export type Secret = { [K in CredentialKind]: { readonly kind: K } & Readonly<SecretOf<K>> }[CredentialKind];

/** Whom a credential is for. */
export type Scope = 'user' | 'installation' | 'system';

/** A credential that was resolved. Never leaves the process but to the provider. */
export type ModelCredential = Secret & {
  readonly api: ModelApi;
  /** Where the API is, without a trailing slash or `/v1`; null: the provider's own address. */
  readonly baseUrl: string | null;
  readonly scope: Scope;
};

/** Every value of a secret that no text may show; ids and regions are none. */
export function valuesOf(secret: Secret): string[] {
  switch (secret.kind) {
    case 'bedrock':
      return [secret.secretAccessKey, ...(secret.sessionToken ? [secret.sessionToken] : [])];
    case 'vertex':
      return [secret.serviceAccount.private_key];
    default:
      return [secret.key];
  }
}

/** The last four characters of the key, or of the key's id where there is one: enough to tell two apart. */
export function hintOf(secret: Secret): string {
  switch (secret.kind) {
    case 'bedrock':
      return secret.accessKeyId.slice(-4);
    case 'vertex':
      return (secret.serviceAccount.private_key_id ?? secret.project).slice(-4);
    default:
      return secret.key.slice(-4);
  }
}
