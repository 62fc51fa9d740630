import type { ModelApi } from '../../agent/driver.ts';
import type { CredentialsConfig } from '../../config.ts';
import { listCredentialsFor, type ModelCredentialRow } from '../../db/model-credentials.ts';
import type { Db, Trx } from '../../db/types.ts';
import type { Keyring } from '../../seal.ts';
import type { AgentName } from '../settings/schema.ts';
import { apiOf, credentialKinds, type ModelCredential, type Scope, valuesOf } from './credential.ts';
import { credentialOf, openRow } from './sealed-row.ts';
import { whyMissing } from './why-missing.ts';

/** For whom a model is called. */
export interface Payer {
  /** GitHub's numeric id of the person who asked for the spec. */
  readonly requesterId: number;
  readonly installationId: number;
}

export type CredentialAnswer =
  | { readonly kind: 'found'; readonly credential: ModelCredential }
  /** The text says what is missing and where it is added; it holds no secret. */
  | { readonly kind: 'missing'; readonly text: string };

export interface Credentials {
  /**
   * The first that exists of the person's, the installation's and the deployment's that speaks an API. `trx`: read
   * within a transaction that is open already, which needs no second connection.
   */
  resolve(ask: Payer & { readonly api: ModelApi }, trx?: Trx): Promise<CredentialAnswer>;
  /**
   * What an agent would work with; the credential says in which API. A `command` may need no model, so for it there may
   * be none.
   */
  forAgent(
    ask: Payer & { readonly agent: AgentName },
    trx?: Trx,
  ): Promise<CredentialAnswer | { readonly kind: 'not_needed' }>;
}

export interface CredentialsOptions {
  readonly db: Db;
  readonly keyring: Keyring;
  readonly config: Pick<CredentialsConfig, 'allowSubscription' | 'environment'>;
  /** Censors a value wherever text leaves the process. */
  readonly registerSecret: (value: string) => unknown;
}

/** The APIs that each agent speaks, the preferred one first. */
const apisOf: Readonly<Record<AgentName, readonly ModelApi[]>> = {
  claude: ['anthropic', 'bedrock', 'vertex'],
  codex: ['openai'],
  command: ['anthropic', 'openai'],
};

const scopes: readonly Scope[] = ['user', 'installation', 'system'];

/** Finds credentials; whatever it hands out is censored from then on. */
export function createCredentials(options: CredentialsOptions): Credentials {
  const censored = new Set<string>();
  async function first(payer: Payer, apis: readonly ModelApi[], trx?: Trx): Promise<CredentialAnswer> {
    const answer = await find({ ...options, db: trx ?? options.db }, payer, apis);
    if (answer.kind === 'missing') return answer;
    for (const value of valuesOf(answer.credential)) {
      if (censored.has(value)) continue;
      censored.add(value);
      options.registerSecret(value);
    }
    return answer;
  }
  return {
    resolve: ({ api, ...payer }, trx) => first(payer, [api], trx),
    async forAgent({ agent, ...payer }, trx) {
      const answer = await first(payer, apisOf[agent], trx);
      return agent === 'command' && answer.kind === 'missing' ? { kind: 'not_needed' } : answer;
    },
  };
}

async function find(
  { db, keyring, config }: Omit<CredentialsOptions, 'db'> & { readonly db: Db | Trx },
  payer: Payer,
  apis: readonly ModelApi[],
): Promise<CredentialAnswer> {
  // The order of `apis` and, for one API, that of the kinds.
  const kinds = apis.flatMap((api) => credentialKinds.filter((kind) => apiOf[kind] === api));
  const { requesterId: userId, installationId } = payer;
  const rows = await listCredentialsFor(db, { userId, installationId, kinds });
  const usable = rows.filter((row) => row.kind !== 'claude-subscription' || mayPay(row, userId, config));
  const row = inOrder(usable, kinds)[0];
  if (row) {
    const read = openRow(keyring, row);
    // Never the next one instead: somebody else would pay without anybody having said so.
    return read.kind === 'opened'
      ? { kind: 'found', credential: read.credential }
      : { kind: 'missing', text: read.text };
  }
  const given = kinds.flatMap((kind) => config.environment.filter((one) => one.kind === kind))[0];
  if (!given) return { kind: 'missing', text: whyMissing(payer, apis, rows.length > 0) };
  const secret = { kind: given.kind, key: given.apiKey };
  return { kind: 'found', credential: credentialOf(secret, { scope: 'system', base_url: given.baseUrl }) };
}

/** A subscription pays for what its owner asked for, where the deployment allows that at all. */
function mayPay(
  row: ModelCredentialRow,
  userId: number,
  config: Pick<CredentialsConfig, 'allowSubscription'>,
): boolean {
  return config.allowSubscription && row.scope === 'user' && row.owner_id === userId;
}

function inOrder(rows: readonly ModelCredentialRow[], kinds: readonly string[]): ModelCredentialRow[] {
  return rows.toSorted(
    (a, b) =>
      scopes.indexOf(a.scope) - scopes.indexOf(b.scope) || kinds.indexOf(a.kind) - kinds.indexOf(b.kind),
  );
}
