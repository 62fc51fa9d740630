import { createPrivateKey } from 'node:crypto';

/** A secret value that must turn up nowhere; `needles` are byte strings of which any one gives it away. */
export interface Canary {
  readonly name: string;
  readonly needles: readonly Buffer[];
}

/** Shorter pieces could turn up by chance. */
const NEEDLE_BYTES = 24;

/** A secret text: its beginning after `skip` characters that are no secret, its middle and its end. */
export function canaryOf(name: string, text: string, skip = 0): Canary {
  const bytes = Buffer.from(text).subarray(skip);
  if (bytes.length < NEEDLE_BYTES)
    throw new Error(`the canary "${name}" is too short to be found for certain`);
  const starts = [0, Math.floor((bytes.length - NEEDLE_BYTES) / 2), bytes.length - NEEDLE_BYTES];
  return { name, needles: starts.map((start) => bytes.subarray(start, start + NEEDLE_BYTES)) };
}

/** A private key: lines of its PEM text, and the private numbers themselves. */
export function canaryOfKey(name: string, pem: string): Canary {
  const lines = pem.split('\n').filter((line) => line.length === 64);
  // The first lines hold the public part, which is no secret.
  const secret = lines.slice(Math.ceil(lines.length / 2)).map((line) => Buffer.from(line));
  const { d, p, q } = createPrivateKey(pem).export({ format: 'jwk' });
  const numbers = [d!, p!, q!].map((number) =>
    Buffer.from(number, 'base64url').subarray(8, 8 + NEEDLE_BYTES),
  );
  return { name, needles: [...secret, ...numbers] };
}

/** Names of the canaries that a text holds: raw, or in base64, hex or URL encoding. */
export function findCanaries(canaries: readonly Canary[], haystack: Buffer | string): string[] {
  // One character a byte, so that any bytes can be searched as text.
  const text = Buffer.isBuffer(haystack)
    ? haystack.toString('latin1')
    : Buffer.from(haystack).toString('latin1');
  const lower = text.toLowerCase();
  return canaries
    .filter(({ needles }) =>
      needles.some((needle) => {
        if (lower.includes(needle.toString('hex'))) return true;
        return spellings(needle).some((spelling) => text.includes(spelling));
      }),
    )
    .map(({ name }) => name);
}

/** A needle as it may be written down; base64 looks different by the place where it begins. */
export function spellings(needle: Buffer): string[] {
  const base64 = [0, 1, 2].map((before) => {
    const padded = Buffer.concat([Buffer.alloc(before), needle]);
    // Only characters that the needle alone decides.
    return padded.toString('base64').slice(Math.ceil((before * 8) / 6), Math.floor((padded.length * 8) / 6));
  });
  const url = encodeURIComponent(needle.toString('latin1'));
  const raw = needle.toString('latin1');
  return [raw, url, ...base64, ...base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'))];
}
