import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/**
 * Makes texts unreadable for whoever has the database but not the secret. `identity` names the row that a text belongs
 * to: it is not stored, but nothing opens under another one, so a value that was moved to another row is of no use.
 */
export interface Sealer {
  seal(text: string, identity?: string): Buffer;
  /** Null when it was sealed with another secret, purpose or identity, or was changed since. */
  open(sealed: Buffer, identity?: string): string | null;
}

/** A key with a name that is stored beside what it seals. */
export interface NamedKey {
  readonly id: string;
  /** Base64 of 32 random bytes. */
  readonly base64: string;
}

export type Opening =
  | { readonly kind: 'opened'; readonly text: string }
  /** The key with this name is not among ours. */
  | { readonly kind: 'no_key'; readonly keyId: string }
  /** It was changed or moved since it was sealed, or a key's name was given to another key. */
  | { readonly kind: 'refused'; readonly keyId: string };

/** Keys that can be replaced one after another: the first one seals, all of them open. */
export interface Keyring {
  /** Names of the keys; the first is the one that seals. */
  readonly keyIds: readonly string[];
  /** Null where there is no key at all. */
  seal(text: string, identity: string): { keyId: string; sealed: Buffer } | null;
  open(stored: { keyId: string; sealed: Buffer }, identity: string): Opening;
}

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** AES-256-GCM with a key of its own for each purpose, derived from `secret` by HKDF (RFC 5869). */
export function createSealer(secret: string | Buffer, purpose: string): Sealer {
  const key = Buffer.from(hkdfSync('sha256', secret, '', purpose, 32));
  return {
    seal(text, identity = '') {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(identity));
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), body]);
    },
    open(sealed, identity = '') {
      const tagAt = NONCE_BYTES + TAG_BYTES;
      if (sealed.length < tagAt) return null;
      const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE_BYTES));
      decipher.setAAD(Buffer.from(identity));
      decipher.setAuthTag(sealed.subarray(NONCE_BYTES, tagAt));
      try {
        return Buffer.concat([decipher.update(sealed.subarray(tagAt)), decipher.final()]).toString('utf8');
      } catch {
        return null;
      }
    },
  };
}

/** A keyring of `keys` for one purpose; without keys it opens and seals nothing. */
export function createKeyring(keys: readonly NamedKey[], purpose: string): Keyring {
  const sealers = new Map(
    keys.map(({ id, base64 }) => [id, createSealer(Buffer.from(base64, 'base64'), purpose)] as const),
  );
  const [first] = sealers;
  return {
    keyIds: [...sealers.keys()],
    seal(text, identity) {
      if (!first) return null;
      const [keyId, sealer] = first;
      return { keyId, sealed: sealer.seal(text, identity) };
    },
    open({ keyId, sealed }, identity) {
      const sealer = sealers.get(keyId);
      if (!sealer) return { kind: 'no_key', keyId };
      const text = sealer.open(sealed, identity);
      return text === null ? { kind: 'refused', keyId } : { kind: 'opened', text };
    },
  };
}
