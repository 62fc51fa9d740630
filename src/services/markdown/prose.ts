import { cleanText, cutText } from './clean.ts';
import { defuse } from './escape.ts';

const GAP = '\u200b';

/** What a zero-width space behind its first sign turns into plain text, in code blocks as well as outside. */
const UNWANTED: readonly (readonly [RegExp, string])[] = [
  // Tags, comments and autolinks.
  [/<(?=[a-z/!?])/giu, `<${GAP}`],
  // Images, which would be fetched by every reader.
  [/!(?=\[)/gu, `!${GAP}`],
  // Entities: "&#64;mona" would ping mona.
  [/&(?=#?\w+;)/gu, `&${GAP}`],
  // Definitions of links and footnotes, which hold for the whole comment.
  [/\](?=:)/gu, `]${GAP}`],
];

/**
 * Several lines of untrusted Markdown: lists, emphasis and whole code blocks stay; HTML, images, headings,
 * mentions and whatever would run on into our own text do not. At most about `max` UTF-16 units.
 */
export function prose(text: string, max = 6000): string {
  const harmless = UNWANTED.reduce(
    (result, [pattern, replacement]) => result.replace(pattern, replacement),
    defuse(cutText(cleanText(text).trim(), max)),
  );
  const fenced = fencedLines(harmless);
  if (fenced !== null)
    return harmless
      .split('\n')
      .map((line, index) => (fenced[index] ? line : flattenHeading(line)))
      .join('\n');
  const unfenced = harmless.replace(/(`{2}|~{2})(?=[`~])/gu, `$1${GAP}`);
  return unfenced.split('\n').map(flattenHeading).join('\n');
}

/**
 * Which lines belong to code blocks; null where GitHub might see them elsewhere than we do. A block that is not
 * at the left margin may end with the list or quote that it stands in, and its last fence then opens another.
 */
function fencedLines(text: string): boolean[] | null {
  let open: string | null = null;
  const inside: boolean[] = [];
  for (const line of text.split('\n')) {
    const [, indent = '', run = '', rest = ''] = /^( *)(`{3,}|~{3,})(.*)$/u.exec(line) ?? [];
    if (open === null) {
      if (run === '' ? /`{3,}|~{3,}/u.test(line) : indent !== '' || /[`~]/u.test(rest)) return null;
      if (run !== '') open = run;
      inside.push(run !== '');
      continue;
    }
    inside.push(true);
    if (indent.length <= 3 && run.startsWith(open) && rest.trim() === '') open = null;
  }
  return open === null ? inside : null;
}

function flattenHeading(line: string): string {
  return line.replace(/^ {0,3}#{1,6}\s+(.*?)\s*#*$/u, '**$1**').replace(/^ {0,3}(=+|-{2,})\s*$/u, '\\$1');
}
