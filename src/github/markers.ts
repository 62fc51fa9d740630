/** A hidden line that tells our own comment of this effect from all others; never seen by a reader. */
export function marker(effectKey: string): string {
  return `<!-- specwright:effect=${encode(effectKey)} -->`;
}

/** True when `body` holds the marker of exactly this key. */
export function hasMarker(body: string, effectKey: string): boolean {
  return body.includes(marker(effectKey));
}

// Hyphens, too, are escaped: `--` would end the comment in HTML's older reading, `-->` in every reading.
function encode(key: string): string {
  return encodeURIComponent(key).replace(/[-!'()*]/g, hexOf);
}

function hexOf(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
