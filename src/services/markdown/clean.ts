import { stripVTControlCharacters } from 'node:util';

// Joiners stay, because emoji and Persian need them. Every other format character is invisible: bidi overrides
// make text read differently from what it is, tag characters carry text that only a model sees.
const INVISIBLE = /(?!\u200c|\u200d)\p{Cf}/gu;
const CONTROL = /(?![\n\t])\p{Cc}/gu;
const LINE_BREAK = /\r\n?|[\u2028\u2029\u0085]/gu;

/** Text without terminal codes, control and invisible characters or broken surrogates; lines end with `\n`. */
export function cleanText(text: string): string {
  return stripVTControlCharacters(text.toWellFormed())
    .replace(LINE_BREAK, '\n')
    .replace(CONTROL, '')
    .replace(INVISIBLE, '');
}

/** The first `max` UTF-16 units of a text with an ellipsis in place of the rest; never half a character. */
export function cutText(text: string, max: number): string {
  if (text.length <= max) return text;
  const kept = text.slice(0, Math.max(0, max - 1));
  const broken = /[\ud800-\udbff]$/.test(kept);
  return `${broken ? kept.slice(0, -1) : kept}…`;
}

/** The last `max` UTF-16 units of a text, from the start of a line where there is one. */
export function tailText(text: string, max: number): string {
  if (text.length <= max) return text;
  const kept = text.slice(text.length - max + 1);
  const newline = kept.indexOf('\n');
  const whole = newline >= 0 && newline < kept.length / 2 ? kept.slice(newline + 1) : kept;
  return `…${whole.toWellFormed()}`;
}

/** One clean line: line breaks and runs of white space become one space; at most `max` UTF-16 units. */
export function oneLine(text: string, max = 300): string {
  return cutText(cleanText(text).replace(/\s+/gu, ' ').trim(), max);
}

const CLOSING =
  /\b(close[sd]?|fix(?:e[sd])?|resolve[sd]?)(\s*:?\s+)((?:[\w.-]+\/[\w.-]+)?#|gh-|https?:\/\/\S*\/(?:issues|pull)\/)(?=\d)/giu;

/**
 * One line that is safe as a commit subject or a title: no mention, and no keyword that would close another
 * issue when the commit reaches the default branch.
 */
export function plainTitle(text: string, max = 300): string {
  const line = oneLine(text, Number.MAX_SAFE_INTEGER)
    .replace(CLOSING, '$1$2no. ')
    .replace(/(?<![\w/.])@(?=[\w-])/gu, '');
  return cutText(line, max);
}
