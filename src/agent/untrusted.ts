/**
 * What a program in the sandbox prints may be anything: cut off, huge, nested without end, of the wrong type. Nothing
 * here throws, and nothing keeps more than it says.
 */

/** Longest text that one event keeps, characters. */
const TEXT_LIMIT = 64 * 1024;
/** Longest detail of a tool and longest reason of a failure, characters. */
const DETAIL_LIMIT = 500;
/** No answer that is asked for nests this deep, and deeper ones break what walks them. */
const DEPTH_LIMIT = 32;
/** Names that would reach an object's prototype somewhere behind us. */
const PROTOTYPE_NAMES: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

export type Fields = Readonly<Record<string, unknown>>;

/** A line as a JSON object, or null. */
export function readObject(line: string): Fields | null {
  try {
    return objectOf(JSON.parse(line));
  } catch {
    return null;
  }
}

/** The value as an object that is no list, or null. */
export function objectOf(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

/** A field of its own, never one that the object inherits. */
export function field(of: Fields | null, name: string): unknown {
  return of !== null && Object.hasOwn(of, name) ? of[name] : undefined;
}

/** The field where it is an object, or null. */
export function objectIn(of: Fields | null, name: string): Fields | null {
  return objectOf(field(of, name));
}

/** The field where it is text and not empty, cut to what an event keeps; null otherwise. */
export function textIn(of: Fields | null, name: string, limit: number = TEXT_LIMIT): string | null {
  const value = field(of, name);
  return typeof value === 'string' && value !== '' ? value.slice(0, limit).toWellFormed() : null;
}

/** The field where it is a number of things, else 0. */
export function countIn(of: Fields | null, name: string): number {
  const value = field(of, name);
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

/** One line for people, without control characters. */
export function oneLine(text: string): string {
  return text
    .slice(0, 4 * DETAIL_LIMIT)
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .slice(0, DETAIL_LIMIT)
    .toWellFormed();
}

/** The last line that says something, for people. */
export function lastLine(text: string): string {
  return oneLine(text.trimEnd().split('\n').at(-1) ?? '');
}

/**
 * A copy of a structured answer without names that reach a prototype; undefined where it nests too deeply to be one.
 */
export function plainCopy(value: unknown, depth = DEPTH_LIMIT): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth === 0) return undefined;
  const entries = Object.entries(value)
    .filter(([name]) => !PROTOTYPE_NAMES.has(name))
    .map(([name, part]) => [name, plainCopy(part, depth - 1)] as const);
  if (entries.some(([, part]) => part === undefined)) return undefined;
  return Array.isArray(value) ? entries.map(([, part]) => part) : Object.fromEntries(entries);
}

/** The JSON object that a text is, or that stands in it; undefined where there is none. Takes time by its length only. */
export function answerIn(text: string): unknown {
  const closing = text.lastIndexOf('\n```');
  const fence = closing < 1 ? '' : text.slice(text.lastIndexOf('```', closing - 1) + 3, closing);
  const braces = text.slice(Math.max(0, text.indexOf('{')), text.lastIndexOf('}') + 1);
  for (const candidate of [text, fence.replace(/^json\s/, ''), braces]) {
    const found = readObject(candidate);
    if (found !== null) return plainCopy(found);
  }
  return undefined;
}
