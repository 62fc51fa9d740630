import { unpackBody } from './packing.ts';

/** NUL, or a surrogate that may be half a character. */
const UNSTORABLE = /\\u(?:0000|[dD][89a-fA-F])/;
const PAIR = String.raw`\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}`;
const ESCAPES = new RegExp(String.raw`${PAIR}|\\u[dD][89a-fA-F][\da-fA-F]{2}|\\u0000|\\.`, 'g');

/** PostgreSQL keeps neither NUL nor half a surrogate pair, in text or in JSON; in keys as in values. */
function storable(json: string): string {
  return json.replaceAll(ESCAPES, (found) => {
    if (found === '\\u0000') return '';
    return /^\\u[dD][89a-fA-F]/.test(found) && found.length === 6 ? '\ufffd' : found;
  });
}

/** Reads a stored body; undefined if it is no JSON object. */
export function readPayload(bytes: Buffer): Record<string, unknown> | undefined {
  try {
    const text = unpackBody(bytes).toString();
    const value: unknown = JSON.parse(UNSTORABLE.test(text) ? storable(text) : text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
