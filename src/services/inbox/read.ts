import { zstdDecompressSync } from 'node:zlib';

/** Above what ingress takes. */
const MAX_BYTES = 32 * 1024 * 1024;

/** Reads a stored body; undefined if it is no JSON object. */
export function readPayload(bytes: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(zstdDecompressSync(bytes, { maxOutputLength: MAX_BYTES }).toString());
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
