import { problem } from '../reply.ts';
import type { Json } from '../state.ts';

function wrong(name: string, value: unknown, wanted: string): Error {
  return problem(
    422,
    `Invalid request.\n\nFor 'properties/${name}', ${JSON.stringify(value)} is not ${wanted}.`,
  );
}

/** A text field that has to be there. */
export function requiredText(body: Json, name: string): string {
  const value = body[name];
  if (value === undefined || value === null)
    throw problem(422, `Invalid request.\n\n"${name}" wasn't supplied.`);
  if (typeof value !== 'string') throw wrong(name, value, 'a string');
  return value;
}

/** A text field that may be missing (undefined) or null. */
export function optionalText(body: Json, name: string): string | null | undefined {
  const value = body[name];
  if (value === undefined || value === null || typeof value === 'string') return value;
  throw wrong(name, value, 'a string');
}

/** A boolean field; `fallback` where it is missing. */
export function flag(body: Json, name: string, fallback: boolean): boolean {
  const value = body[name] ?? fallback;
  if (typeof value !== 'boolean') throw wrong(name, value, 'a boolean');
  return value;
}

/** A list of texts; undefined where it is missing. */
export function optionalTexts(body: Json, name: string): string[] | undefined {
  const value = body[name];
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || !value.every((one): one is string => typeof one === 'string')) {
    throw wrong(name, value, 'an array of strings');
  }
  return value;
}

/** One of a few words; undefined where it is missing. */
export function optionalChoice<T extends string>(
  body: Json,
  name: string,
  choices: readonly T[],
): T | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  const found = choices.find((one) => one === value);
  if (!found) throw wrong(name, value, `a member of ${JSON.stringify(choices)}`);
  return found;
}
