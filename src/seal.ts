import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/** Makes texts unreadable for whoever has the database but not the secret. */
export interface Sealer {
  seal(text: string): Buffer;
  /** Null when it was sealed with another secret or purpose, or was changed since. */
  open(sealed: Buffer): string | null;
}

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** AES-256-GCM with a key of its own for each purpose, derived from `secret` by HKDF (RFC 5869). */
export function createSealer(secret: string, purpose: string): Sealer {
  const key = Buffer.from(hkdfSync('sha256', secret, '', purpose, 32));
  return {
    seal(text) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, key, nonce);
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), body]);
    },
    open(sealed) {
      const tagAt = NONCE_BYTES + TAG_BYTES;
      if (sealed.length < tagAt) return null;
      const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE_BYTES));
      decipher.setAuthTag(sealed.subarray(NONCE_BYTES, tagAt));
      try {
        return Buffer.concat([decipher.update(sealed.subarray(tagAt)), decipher.final()]).toString('utf8');
      } catch {
        return null;
      }
    },
  };
}
