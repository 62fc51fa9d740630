import type { NamedKey } from './seal.ts';

const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const BASE64_OF_32_BYTES = /^[A-Za-z0-9+/_-]{43}=?$/;
/** 32 random bytes hardly ever have fewer than 24 different ones. */
const MIN_DISTINCT_BYTES = 12;

export type KeysReading =
  | { readonly ok: true; readonly keys: readonly NamedKey[] }
  /** Continues the variable's name; never quotes a key. */
  | { readonly ok: false; readonly problem: string };

/** Reads `id:base64` pairs, separated by commas or white space; the first one seals. */
export function parseCredentialKeys(text: string): KeysReading {
  const parts = text.split(/[\s,]+/).filter((part) => part !== '');
  const keys: NamedKey[] = [];
  for (const [index, part] of parts.entries()) {
    const colon = part.indexOf(':');
    const [id, base64] = [part.slice(0, Math.max(colon, 0)), part.slice(colon + 1)];
    const problem = problemOf(id, base64);
    if (problem) return { ok: false, problem: `has a mistake in key ${index + 1}: ${problem}` };
    if (keys.some((key) => key.id === id)) return { ok: false, problem: `names two keys "${id}"` };
    keys.push({ id, base64 });
  }
  return keys.length > 0 ? { ok: true, keys } : { ok: false, problem: 'holds no key' };
}

function problemOf(id: string, base64: string): string | null {
  // What stands before a colon that is missing might be the key itself, so nothing of it is quoted.
  if (!ID.test(id)) return 'it does not begin with an id of letters, digits, ".", "_" or "-" and a colon';
  if (!BASE64_OF_32_BYTES.test(base64)) return 'what follows the colon is not the base64 of 32 bytes';
  const distinct = new Set(Buffer.from(base64, 'base64')).size;
  return distinct < MIN_DISTINCT_BYTES ? 'it repeats a few bytes and can be guessed' : null;
}
