import { readBaseUrl } from '../../base-url.ts';
import { type CredentialKind, type Secret, secretSchemas } from './credential.ts';

export type SecretReading =
  | { readonly ok: true; readonly secret: Secret }
  /** Sentences for the person who gave it; never quotes what was given. */
  | { readonly ok: false; readonly problem: string };

/** What each kind is given as. */
export const givenAs: Readonly<Record<CredentialKind, string>> = {
  anthropic: 'the API key, one line that begins with sk-ant-api',
  openai: 'the API key, one line that begins with sk-',
  bedrock:
    'JSON: {"region", "accessKeyId", "secretAccessKey", "sessionToken" (of temporary credentials only)}',
  vertex:
    'JSON: {"project", "region", "serviceAccount": <the file that Google Cloud gave you for a key of a service account>}',
  'claude-subscription': 'the token that "claude setup-token" prints, one line that begins with sk-ant-oat',
};

/** Reads what a person gave for a kind: a key, or JSON. */
export function parseSecret(kind: CredentialKind, given: string): SecretReading {
  const text = given.trim();
  if (text === '') return no(`Nothing was given. For ${kind} it is ${givenAs[kind]}.`);
  const asJson = kind === 'bedrock' || kind === 'vertex';
  const mistaken = asJson ? null : mistakenFor(kind, text);
  if (mistaken) return no(`${mistaken} For ${kind} it is ${givenAs[kind]}.`);
  const value = asJson ? parseJson(text) : { key: text };
  if (value === undefined) return no(`What was given is no JSON. For ${kind} it is ${givenAs[kind]}.`);
  return ofValue(kind, value);
}

/** Reads what was sealed earlier; null when this version can't make sense of it. */
export function readSecret(kind: CredentialKind, sealed: string): Secret | null {
  const read = ofValue(kind, parseJson(sealed));
  return read.ok ? read.secret : null;
}

function ofValue(kind: CredentialKind, value: unknown): SecretReading {
  const parsed = secretSchemas[kind].safeParse(value);
  if (parsed.success) return { ok: true, secret: { kind, ...parsed.data } as Secret };
  const problems = parsed.error.issues.map(({ path, code, message }) => {
    const name = path.join('.');
    // Names of unknown keys are not quoted: whoever mixes up name and value would see a secret printed.
    if (code === 'unrecognized_keys') return `${name || 'it'} has a key that is not known`;
    if (code === 'invalid_type') return `${name || 'it'} is missing or of the wrong type`;
    return `${name} ${message}`;
  });
  return no(`What was given does not fit: ${problems.join('; ')}. For ${kind} it is ${givenAs[kind]}.`);
}

/** Keys of other services and other kinds, by what they begin with; null when it may be one of this kind. */
function mistakenFor(kind: CredentialKind, text: string): string | null {
  if (/^(?:gh[opsur]_|github_pat_)/.test(text)) return 'That is a token of GitHub.';
  if (text.startsWith('{') || text.startsWith('-----BEGIN')) return 'That is no API key.';
  const subscription = text.startsWith('sk-ant-oat');
  if (kind === 'claude-subscription')
    return subscription ? null : 'That is no token of a Claude subscription.';
  if (subscription)
    return "That is the token of a Claude subscription, which is its owner's alone: --kind claude-subscription takes it.";
  if (text.startsWith('sk-ant-admin')) return 'That is an admin key, which models do not accept.';
  if (kind === 'openai' && text.startsWith('sk-ant-')) return 'That is a key of Anthropic.';
  if (kind === 'anthropic' && /^sk-(?:proj|svcacct)-/.test(text)) return 'That is a key of OpenAI.';
  return null;
}

export type AddressReading =
  | { readonly ok: true; readonly baseUrl: string | null }
  | { readonly ok: false; readonly problem: string };

/** Reads the base URL that goes with a credential. */
export function parseBaseUrl(kind: CredentialKind, given: string | undefined): AddressReading {
  if (given === undefined) return { ok: true, baseUrl: null };
  if (kind === 'claude-subscription')
    return no("A subscription's token is sent to Anthropic alone: leave out --base-url.");
  const read = readBaseUrl(given);
  return read.ok ? { ok: true, baseUrl: read.url } : no(`The base URL ${read.problem}.`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Its own words would quote the text.
    return undefined;
  }
}

function no(problem: string): { ok: false; problem: string } {
  return { ok: false, problem };
}
