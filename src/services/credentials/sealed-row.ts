import type { ModelCredentialRow } from '../../db/model-credentials.ts';
import type { Keyring } from '../../seal.ts';
import {
  apiOf,
  type CredentialKind,
  credentialKinds,
  type ModelCredential,
  type Secret,
} from './credential.ts';
import { readSecret } from './parse.ts';
import { commandFor, nameOf } from './place.ts';

/** Keys of the environment are used for nothing else under this name. */
export const SEALING_PURPOSE = 'model credentials';

type Place = Pick<ModelCredentialRow, 'scope' | 'owner_id' | 'kind' | 'base_url'>;

/**
 * What a value is sealed to: its row's owner and kind, so that nobody is served by another's key, and its address, so
 * that whoever can write to the table can't have the key sent to himself.
 */
export function identityOf({ scope, owner_id: owner, kind, base_url: address }: Place): string {
  return JSON.stringify(['model credential', scope, owner, kind, address]);
}

/** A secret as its row holds it; null where there is no key to seal with. */
export function sealSecret(
  keyring: Keyring,
  place: Place,
  secret: Secret,
): Pick<ModelCredentialRow, 'sealed' | 'key_id'> | null {
  const { kind: _, ...parts } = secret;
  const done = keyring.seal(JSON.stringify(parts), identityOf(place));
  return done && { sealed: done.sealed, key_id: done.keyId };
}

export type RowReading =
  | { readonly kind: 'opened'; readonly credential: ModelCredential }
  /** The text says why, and what the operator does; it holds no secret. */
  | { readonly kind: 'unreadable'; readonly text: string };

/** Opens what a row holds. */
export function openRow(keyring: Keyring, row: ModelCredentialRow): RowReading {
  const opening = keyring.open({ keyId: row.key_id, sealed: row.sealed }, identityOf(row));
  if (opening.kind !== 'opened') return { kind: 'unreadable', text: whyUnreadable(row, opening.kind) };
  const kind = credentialKinds.find((name) => name === row.kind);
  const secret = kind && readSecret(kind, opening.text);
  if (!kind || !secret) return { kind: 'unreadable', text: whyUnreadable(row, 'refused') };
  return { kind: 'opened', credential: credentialOf(secret, row) };
}

/** What is handed to those who call a model. */
export function credentialOf(
  secret: Secret,
  { scope, base_url: baseUrl }: Pick<ModelCredentialRow, 'scope' | 'base_url'>,
): ModelCredential {
  const kind: CredentialKind = secret.kind;
  return { ...secret, api: apiOf[kind], baseUrl, scope };
}

/** Why a row can't be opened, and what to do. */
export function whyUnreadable(row: ModelCredentialRow, why: 'no_key' | 'refused'): string {
  const owner = { scope: row.scope, id: row.owner_id };
  const what = `The model credential "${row.kind}" of ${nameOf(owner)} can't be read`;
  const again = `set the credential again: ${commandFor(row.kind, owner)}`;
  return why === 'no_key'
    ? `${what}: it was sealed with the key "${row.key_id}", which CREDENTIAL_KEYS of this process does not have. Put that key back into CREDENTIAL_KEYS, or ${again}`
    : `${what}: it was changed or moved since it was sealed, or "${row.key_id}" in CREDENTIAL_KEYS is another key than it was. Put the right key back, or ${again}`;
}
