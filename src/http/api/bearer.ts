import { createHash, timingSafeEqual } from 'node:crypto';

/** True when an `authorization` header carries `token` as a bearer; takes the same time wherever the two differ. */
export function carriesBearer(header: string | undefined, token: string): boolean {
  const [, given] = /^Bearer (\S{1,4096})$/i.exec(header ?? '') ?? [];
  // Hashes have the same length, which the comparison needs and a token's own length would betray.
  return given !== undefined && timingSafeEqual(digest(given), digest(token));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
