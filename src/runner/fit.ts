import type { RunEvent } from './protocol.ts';

type Data = RunEvent['data'];

/** Below this a string is not worth cutting, characters. */
const SHORTEST_CUT = 64;
const MARK = '… (cut)';

/**
 * Makes data storable and at most `maxBytes` of JSON: broken surrogates and NUL (which a database refuses) are
 * replaced, then the longest text is halved until it fits.
 */
export function fitData(data: Data, maxBytes: number): Data {
  const fitted: Data = Object.fromEntries(Object.entries(data).map(([key, value]) => [key, clean(value)]));
  while (jsonBytes(fitted) > maxBytes) {
    const [key, text] = longestText(fitted);
    if (text.length < SHORTEST_CUT) return { cut: true };
    fitted[key] = `${text.slice(0, Math.floor(text.length / 2) - MARK.length).toWellFormed()}${MARK}`;
  }
  return fitted;
}

/** Size as JSON in UTF-8, bytes. */
export function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? '');
}

function clean(value: unknown): unknown {
  return typeof value === 'string' ? value.toWellFormed().replaceAll('\0', '\uFFFD') : value;
}

function longestText(data: Data): [key: string, text: string] {
  let longest: [string, string] = ['', ''];
  for (const [key, value] of Object.entries(data)) {
    if (typeof value === 'string' && value.length > longest[1].length) longest = [key, value];
  }
  return longest;
}
