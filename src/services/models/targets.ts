import { createHash } from 'node:crypto';
import type { JWT } from 'google-auth-library';
import type { ModelCredential } from '../credentials/credential.ts';

/** A request as it is sent, before the headers of a credential are on it. */
export interface Unsigned {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Where calls go, and what stands for the credential on them. */
export interface Target {
  /** Without a slash at its end. */
  readonly baseUrl: string;
  /** The path as the provider knows it: what a sandbox calls the account's project is only a placeholder. */
  pathOf(path: string): string;
  authorize(request: Unsigned): Promise<Readonly<Record<string, string>>>;
}

type Of<K extends ModelCredential['kind']> = Extract<ModelCredential, { kind: K }>;

/** Tells the Messages API that the token is one of a subscription. */
const SUBSCRIPTION_BETA = 'oauth-2025-04-20';
const GOOGLE_SCOPE = 'https://www.googleapis.com/auth/cloud-platform';

/** Makes targets of credentials; Google's tokens are kept until they end. */
export function createTargets(): (credential: ModelCredential) => Target {
  const google = new Map<string, Promise<JWT>>();
  return (credential) => {
    switch (credential.kind) {
      case 'anthropic':
        return plain(credential.baseUrl ?? 'https://api.anthropic.com', { 'x-api-key': credential.key });
      case 'openai':
        return plain(credential.baseUrl ?? 'https://api.openai.com', {
          authorization: `Bearer ${credential.key}`,
        });
      case 'claude-subscription':
        return subscription(credential);
      case 'bedrock':
        return bedrock(credential);
      case 'vertex':
        return vertex(credential, google);
    }
  };
}

const asItIs = (path: string): string => path;

function plain(baseUrl: string, headers: Readonly<Record<string, string>>): Target {
  return { baseUrl, pathOf: asItIs, authorize: async () => headers };
}

function subscription({ baseUrl, key }: Of<'claude-subscription'>): Target {
  return {
    baseUrl: baseUrl ?? 'https://api.anthropic.com',
    pathOf: asItIs,
    authorize: async ({ headers }) => ({
      authorization: `Bearer ${key}`,
      'anthropic-beta': [headers['anthropic-beta'], SUBSCRIPTION_BETA].filter(Boolean).join(','),
    }),
  };
}

/** AWS Signature Version 4, by AWS's own package, which is loaded when the first call needs it. */
function bedrock(credential: Of<'bedrock'>): Target {
  const { region, accessKeyId, secretAccessKey, sessionToken } = credential;
  const credentials = { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
  return {
    baseUrl: credential.baseUrl ?? `https://bedrock-runtime.${region}.amazonaws.com`,
    pathOf: asItIs,
    async authorize({ method, url, headers, body }) {
      const [{ SignatureV4 }, { Sha256 }] = await Promise.all([
        import('@smithy/signature-v4'),
        import('@aws-crypto/sha256-js'),
      ]);
      const signer = new SignatureV4({ service: 'bedrock', region, credentials, sha256: Sha256 });
      const type = headers['content-type'];
      const signed = await signer.sign({
        method,
        protocol: url.protocol,
        hostname: url.hostname,
        path: url.pathname,
        query: Object.fromEntries(url.searchParams),
        headers: { host: url.host, ...(type ? { 'content-type': type } : {}) },
        body,
      });
      return signed.headers;
    },
  };
}

/** A short-lived token of the service account, by Google's own package, which is loaded when the first call needs it. */
function vertex(credential: Of<'vertex'>, clients: Map<string, Promise<JWT>>): Target {
  const { project, region, serviceAccount } = credential;
  const host = region === 'global' ? 'aiplatform.googleapis.com' : `${region}-aiplatform.googleapis.com`;
  const id = createHash('sha256').update(serviceAccount.private_key).digest('hex');
  return {
    baseUrl: credential.baseUrl ?? `https://${host}/v1`,
    pathOf: (path) =>
      path
        .replace(/^\/v1(?=\/)/, '')
        .replace(/^\/projects\/[^/]+\/locations\/[^/]+\//, `/projects/${project}/locations/${region}/`),
    async authorize() {
      const made = clients.get(id) ?? makeClient(serviceAccount);
      clients.set(id, made);
      const { token } = await (await made).getAccessToken();
      return { authorization: `Bearer ${token ?? ''}` };
    },
  };
}

async function makeClient({ client_email, private_key }: Of<'vertex'>['serviceAccount']): Promise<JWT> {
  const { JWT: Client } = await import('google-auth-library');
  return new Client({ email: client_email, key: private_key, scopes: [GOOGLE_SCOPE] });
}
