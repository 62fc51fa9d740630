import { cleanText, oneLine } from './clean.ts';

// GitHub links mentions and references in the rendered text, so a backslash or an entity for the sign itself
// does not stop it; a zero-width space behind the sign does, in code as well as outside.
const GAP = '\u200b';
const REFERENCES: readonly (readonly [RegExp, string])[] = [
  [/@(?=[\w-])/gu, `@${GAP}`],
  [/#(?=\d)/gu, `#${GAP}`],
  [/\b(gh\\?-)(?=\d)/giu, `$1${GAP}`],
  [/(\/(?:issues|pull|discussions|commit)\/)(?=\w)/gu, `$1${GAP}`],
];

/** Text in which nothing pings a person or leaves a cross-reference on another issue. */
export function defuse(text: string): string {
  return REFERENCES.reduce((result, [pattern, replacement]) => result.replace(pattern, replacement), text);
}

/** A code span that holds any one-line text. */
export function code(text: string, max = 300): string {
  const line = defuse(oneLine(text, max));
  if (line === '') return '` `';
  const longest = Math.max(0, ...(line.match(/`+/gu) ?? []).map((run) => run.length));
  const ticks = '`'.repeat(longest + 1);
  const pad = line.startsWith('`') || line.endsWith('`') ? ' ' : '';
  return `${ticks}${pad}${line}${pad}${ticks}`;
}

/** One line of untrusted text as Markdown: whole code spans stay, everything else reads as it was typed. */
export function inline(text: string, max = 400): string {
  const parts = oneLine(text, max).split(/(`[^`]+`)/u);
  return escapeStart(
    parts.map((part, index) => (index % 2 === 1 ? code(part.slice(1, -1)) : escapeLine(part))).join(''),
  );
}

/** `inline` for a cell of a table. */
export function cell(text: string, max = 400): string {
  return inline(text, max).replaceAll('|', '\\|');
}

/** A fenced block that no content can leave. */
export function fence(text: string, info = ''): string {
  const clean = cleanText(text).replace(/\n+$/u, '');
  const longest = Math.max(2, ...(clean.match(/`{3,}/gu) ?? []).map((run) => run.length));
  const ticks = '`'.repeat(longest + 1);
  return `${ticks}${info}\n${clean}\n${ticks}`;
}

/** A link whose text is untrusted and whose address is ours. */
export function link(text: string, url: string): string {
  return `[${inline(text)}](${address(url)})`;
}

/** A link to an issue or pull request of the same repository, "#7": the one reference that is meant. */
export function numberLink(number: number, url: string): string {
  return `[#${number}](${address(url)})`;
}

function address(url: string): string {
  return url.replace(/[\\\s()<>`|"]/gu, percentEncode);
}

/** A collapsed section. */
export function details(summary: string, body: string): string {
  return `<details>\n<summary>${summary}</summary>\n\n${body.trim()}\n\n</details>`;
}

function escapeLine(text: string): string {
  const escaped = text
    .replace(/[\\`*_[\]<>~&]/gu, '\\$&')
    // Readers would see an escaped comment, but whoever looks for our hidden markers in the raw text might not.
    .replace(/<(?=!)/gu, `<${GAP}`)
    .replace(/:\/\//gu, `:${GAP}//`)
    .replace(/\bwww\./giu, (match) => `${match.slice(0, 3)}${GAP}.`);
  return defuse(escaped);
}

/** A line that starts like a list, a heading or an underline is still a line. */
function escapeStart(line: string): string {
  return line.replace(/^(?:[-+#=]+(?=\s|$)|\d{1,9}[.)](?=\s|$))/u, (start) =>
    /\d/u.test(start) ? `${start.slice(0, -1)}\\${start.slice(-1)}` : `\\${start}`,
  );
}

function percentEncode(character: string): string {
  return `%${character.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`;
}
