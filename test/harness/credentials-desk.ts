import { randomBytes } from 'node:crypto';
import type { CredentialsConfig } from '../../src/config.ts';
import type { Db } from '../../src/db/types.ts';
import { createKeyring, type NamedKey } from '../../src/seal.ts';
import type { Secret } from '../../src/services/credentials/credential.ts';
import { rotateCredentials, setCredential } from '../../src/services/credentials/edit.ts';
import type { Owner } from '../../src/services/credentials/place.ts';
import { type Credentials, createCredentials } from '../../src/services/credentials/resolve.ts';
import { SEALING_PURPOSE } from '../../src/services/credentials/sealed-row.ts';
import { type FreshDatabase, freshDatabase } from './database.ts';

/** A new key for CREDENTIAL_KEYS. */
export function newKey(id: string): NamedKey {
  return { id, base64: randomBytes(32).toString('base64') };
}

/** Credentials in a database of their own, as processes with these or those keys see them. */
export interface CredentialsDesk {
  readonly database: FreshDatabase;
  /** Values that were handed to the censor. */
  readonly censored: string[];
  /** A process with these keys, the first of which seals. */
  process(keys: readonly NamedKey[], config?: Partial<CredentialsConfig>): Credentials;
  set(keys: readonly NamedKey[], owner: Owner, given: { secret: Secret; baseUrl?: string }): Promise<void>;
  rotate(keys: readonly NamedKey[]): ReturnType<typeof rotateCredentials>;
  /** Takes every credential away. */
  clear(): Promise<void>;
}

export async function openCredentialsDesk(): Promise<CredentialsDesk> {
  const database = await freshDatabase();
  const { db } = database;
  const censored: string[] = [];
  const ring = (keys: readonly NamedKey[]) => createKeyring(keys, SEALING_PURPOSE);
  return {
    database,
    censored,
    process: (keys, config) =>
      createCredentials({
        db,
        keyring: ring(keys),
        config: { allowSubscription: false, environment: [], ...config },
        registerSecret: (value) => censored.push(value),
      }),
    async set(keys, owner, { secret, baseUrl }) {
      const editing = { db, keyring: ring(keys), actor: 'test' };
      const done = await setCredential(editing, { owner, secret, baseUrl: baseUrl ?? null });
      if (done.kind === 'no_key') throw new Error('there is no key to seal with');
    },
    rotate: (keys) => rotateCredentials({ db, keyring: ring(keys), actor: 'test' }),
    async clear() {
      await db('model_credentials').delete();
    },
  };
}

/** Stores a key of Anthropic as "specwright credentials set" does, under the sealing key "k1". */
export async function putModelKey(
  db: Db,
  { base64, owner, key }: { base64: string; owner: Owner; key: string },
): Promise<void> {
  const keyring = createKeyring([{ id: 'k1', base64 }], SEALING_PURPOSE);
  const secret = { kind: 'anthropic', key } as const;
  await setCredential({ db, keyring, actor: 'test' }, { owner, secret, baseUrl: null });
}
