// Race ledger
// - Two set the same place at once → one statement each, the later one stands.
// - One sets or removes while another rotates → rows are locked; who comes second sees what the first one left.
// - A process reads a row that was sealed with a key it does not know yet → the answer names that key; nothing is lost.
import { randomUUID } from 'node:crypto';
import { recordAudit } from '../../db/audit.ts';
import {
  deleteModelCredential,
  lockModelCredentials,
  type ModelCredentialRow,
  putModelCredential,
  resealModelCredential,
} from '../../db/model-credentials.ts';
import type { Db, Trx } from '../../db/types.ts';
import type { Keyring } from '../../seal.ts';
import { type CredentialKind, hintOf, type Secret } from './credential.ts';
import { nameOf, type Owner } from './place.ts';
import { identityOf, sealSecret, whyUnreadable } from './sealed-row.ts';

export interface Editing {
  readonly db: Db;
  readonly keyring: Keyring;
  /** Who does it, for the record. */
  readonly actor: string;
}

export type Setting =
  | { readonly kind: 'added' | 'replaced'; readonly hint: string; readonly keyId: string }
  /** There is no key to seal with. */
  | { readonly kind: 'no_key' };

/** Seals a secret and puts it into its place, in the stead of what was there. */
export async function setCredential(
  { db, keyring, actor }: Editing,
  { owner, secret, baseUrl }: { owner: Owner; secret: Secret; baseUrl: string | null },
): Promise<Setting> {
  const place = { scope: owner.scope, owner_id: owner.id, kind: secret.kind, base_url: baseUrl };
  const sealed = sealSecret(keyring, place, secret);
  if (!sealed) return { kind: 'no_key' };
  const row = { id: randomUUID(), ...place, ...sealed, hint: hintOf(secret), created_by: actor };
  return db.transaction(async (trx) => {
    const added = await putModelCredential(trx, row);
    await audit(trx, { actor, action: 'credentials.set', what: `${secret.kind} of ${nameOf(owner)}` });
    return { kind: added ? 'added' : 'replaced', hint: row.hint, keyId: row.key_id };
  });
}

/** Takes a credential away; false when there is none. */
export async function removeCredential(
  { db, actor }: Omit<Editing, 'keyring'>,
  { owner, kind }: { owner: Owner; kind: CredentialKind },
): Promise<boolean> {
  return db.transaction(async (trx) => {
    const gone = await deleteModelCredential(trx, { scope: owner.scope, owner_id: owner.id, kind });
    if (gone) await audit(trx, { actor, action: 'credentials.remove', what: `${kind} of ${nameOf(owner)}` });
    return gone;
  });
}

export interface Rotation {
  /** Sealed anew with the first key. */
  readonly resealed: number;
  /** Sealed with the first key before. */
  readonly already: number;
  /** Why the others could not be opened, a text each; they were left as they are. */
  readonly unreadable: readonly string[];
}

/** Seals everything with the first key, so that the others can be taken out of CREDENTIAL_KEYS. */
export async function rotateCredentials({ db, keyring, actor }: Editing): Promise<Rotation> {
  return db.transaction(async (trx) => {
    const done = { resealed: 0, already: 0, unreadable: [] as string[] };
    for (const row of await lockModelCredentials(trx)) {
      const text = await reseal(trx, keyring, row);
      if (text !== null) done.unreadable.push(text);
      else if (row.key_id === keyring.keyIds[0]) done.already += 1;
      else done.resealed += 1;
    }
    await audit(trx, { actor, action: 'credentials.rotate', what: `${done.resealed} sealed anew` });
    return done;
  });
}

/** Null, or why the row could not be opened. */
async function reseal(trx: Trx, keyring: Keyring, row: ModelCredentialRow): Promise<string | null> {
  const identity = identityOf(row);
  const opening = keyring.open({ keyId: row.key_id, sealed: row.sealed }, identity);
  if (opening.kind !== 'opened') return whyUnreadable(row, opening.kind);
  if (row.key_id === keyring.keyIds[0]) return null;
  const { keyId, sealed } = keyring.seal(opening.text, identity)!;
  await resealModelCredential(trx, { id: row.id, sealed, key_id: keyId });
  return null;
}

async function audit(trx: Trx, { actor, action, what }: { actor: string; action: string; what: string }) {
  await recordAudit(trx, {
    specId: null,
    repositoryId: null,
    actor,
    action,
    decision: 'done',
    reason: what,
    delivery: null,
  });
}
