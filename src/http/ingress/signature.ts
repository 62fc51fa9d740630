import { createHmac, timingSafeEqual } from 'node:crypto';

/** The 32 bytes of an `X-Hub-Signature-256` header; undefined if it is missing, cut short or of another kind. */
export function parseSignature(header: string | string[] | undefined): Buffer | undefined {
  if (typeof header !== 'string') return undefined;
  const hex = /^sha256=([0-9a-f]{64})$/.exec(header)?.[1];
  return hex === undefined ? undefined : Buffer.from(hex, 'hex');
}

/**
 * Whether one of `secrets` signed `body` (raw bytes). Compares in constant time; an empty secret signs nothing.
 * Source: docs.github.com "Validating webhook deliveries".
 */
export function isSigned(body: Buffer, signature: Buffer, secrets: readonly string[]): boolean {
  return secrets.some((secret) => {
    if (secret === '') return false;
    return timingSafeEqual(createHmac('sha256', secret).update(body).digest(), signature);
  });
}
