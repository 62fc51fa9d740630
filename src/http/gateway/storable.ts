/** Deeper JSON than this is no event and no result of ours. */
const DEPTH = 64;

/**
 * Makes JSON from a sandbox fit for the database, which refuses NUL and broken surrogates: both become U+FFFD, in
 * keys too. Answers undefined for JSON nested deeper than 64 levels.
 */
export function storable(value: unknown, depth = 0): unknown {
  if (depth > DEPTH) return undefined;
  if (typeof value === 'string') return cleanText(value);
  if (Array.isArray(value)) {
    const items = value.map((item) => storable(item, depth + 1));
    return items.includes(undefined) ? undefined : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  const entries: [string, unknown][] = [];
  for (const [key, item] of Object.entries(value)) {
    const clean = storable(item, depth + 1);
    if (clean === undefined) return undefined;
    entries.push([cleanText(key), clean]);
  }
  return Object.fromEntries(entries);
}

function cleanText(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\uFFFD');
}
