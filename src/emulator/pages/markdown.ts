import { escapeText, type Html, raw } from './html.ts';

// Tags that GitHub lets through and that our comments use; everything else is shown as text.
const TAGS =
  /&lt;(\/?(?:details|summary|br|sub|sup|kbd|b|i|em|strong|p|ul|ol|li|h[1-6]|hr)(?:\s+open)?\s*\/?)&gt;/gi;

function inline(text: string): string {
  const codes: string[] = [];
  const held = text.replace(
    /(`+)(.+?)\1/g,
    (_, _ticks, code: string) => `\u0000${codes.push(escapeText(code.trim())) - 1}\u0000`,
  );
  const formed = escapeText(held)
    .replace(TAGS, '<$1>')
    .replace(/!?\[([^\]]*)\]\((https?:[^\s)]+|[/#][^\s)]*)\)/g, '<a href="$2">$1</a>')
    .replace(/(^|[\s(])(https?:\/\/[^\s<)]+)/g, '$1<a href="$2">$2</a>')
    .replace(/\*\*(.+?)\*\*/g, '<strong>$1</strong>')
    .replace(/(^|\W)[*_]([^\s*_](?:[^*_]*[^\s*_])?)[*_](?=\W|$)/g, '$1<em>$2</em>')
    .replace(/~~(.+?)~~/g, '<del>$1</del>');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: NUL marks where code was held back
  return formed.replace(/\u0000(\d+)\u0000/g, (_, at: string) => `<code>${codes[Number(at)] ?? ''}</code>`);
}

interface Block {
  readonly html: string;
  /** How many lines the block took. */
  readonly lines: number;
}

function fence(lines: readonly string[]): Block | null {
  const open = /^\s*(`{3,}|~{3,})/.exec(lines[0] ?? '')?.[1];
  if (!open) return null;
  const end = lines.findIndex((line, index) => index > 0 && line.trim().startsWith(open));
  const stop = end < 0 ? lines.length : end;
  return { html: `<pre><code>${escapeText(lines.slice(1, stop).join('\n'))}</code></pre>`, lines: stop + 1 };
}

function heading(lines: readonly string[]): Block | null {
  const match = /^(#{1,6})\s+(.*?)\s*#*$/.exec(lines[0] ?? '');
  if (!match) return null;
  const level = match[1]!.length;
  return { html: `<h${level}>${inline(match[2]!)}</h${level}>`, lines: 1 };
}

function cells(line: string): string[] {
  const trimmed = line.trim().replace(/^\||\|$/g, '');
  return trimmed.split(/(?<!\\)\|/).map((cell) => inline(cell.trim().replaceAll('\\|', '|')));
}

function table(lines: readonly string[]): Block | null {
  if (!lines[0]?.includes('|') || !/^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/.test(lines[1] ?? ''))
    return null;
  const end = lines.findIndex((line, index) => index > 1 && !line.includes('|'));
  const rows = lines.slice(2, end < 0 ? lines.length : end);
  const row = (line: string, tag: string) =>
    `<tr>${cells(line)
      .map((cell) => `<${tag}>${cell}</${tag}>`)
      .join('')}</tr>`;
  return {
    html: `<table>${row(lines[0], 'th')}${rows.map((line) => row(line, 'td')).join('')}</table>`,
    lines: rows.length + 2,
  };
}

const ITEM = /^(\s*)(?:[-*+]|(\d+)[.)])\s+(.*)$/;

function list(lines: readonly string[]): Block | null {
  const first = ITEM.exec(lines[0] ?? '');
  if (!first) return null;
  const indent = first[1]!.length;
  const items: string[][] = [];
  let taken = 0;
  for (const line of lines) {
    const item = ITEM.exec(line);
    if (item && item[1]!.length === indent) items.push([item[3]!]);
    else if (line.trim() !== '' && /^\s/.test(line) && (line.match(/^\s*/)?.[0].length ?? 0) > indent)
      items.at(-1)?.push(line.slice(indent + 2));
    else break;
    taken += 1;
  }
  const tag = first[2] ? 'ol' : 'ul';
  return {
    html: `<${tag}>${items.map((item) => `<li>${listItem(item)}</li>`).join('')}</${tag}>`,
    lines: taken,
  };
}

function listItem(lines: readonly string[]): string {
  const [first = '', ...rest] = lines;
  const task = /^\[([ xX])\]\s+(.*)$/.exec(first);
  const head = task
    ? `<input type="checkbox" disabled${task[1] === ' ' ? '' : ' checked'}> ${inline(task[2]!)}`
    : inline(first);
  return rest.length > 0 ? `${head}${blocks(rest)}` : head;
}

function quote(lines: readonly string[]): Block | null {
  if (!lines[0]?.startsWith('>')) return null;
  const end = lines.findIndex((line) => !line.startsWith('>'));
  const inner = lines.slice(0, end < 0 ? lines.length : end);
  return {
    html: `<blockquote>${blocks(inner.map((line) => line.replace(/^>\s?/, '')))}</blockquote>`,
    lines: inner.length,
  };
}

function rule(lines: readonly string[]): Block | null {
  return /^\s*(-{3,}|\*{3,}|_{3,})\s*$/.test(lines[0] ?? '') ? { html: '<hr>', lines: 1 } : null;
}

function paragraph(lines: readonly string[]): Block {
  const end = lines.findIndex(
    (line, index) =>
      index > 0 &&
      (line.trim() === '' || fence([line]) !== null || heading([line]) !== null || ITEM.test(line)),
  );
  const own = lines.slice(0, end < 0 ? lines.length : end);
  const text = inline(own.join('\n')).replaceAll('\n', '<br>');
  const bare = /^\s*<\/?(details|summary)/.test(text) && own.length === 1; // a tag on a line of its own is no paragraph
  return { html: bare ? text : `<p>${text}</p>`, lines: own.length };
}

function blocks(lines: readonly string[]): string {
  const parts: string[] = [];
  let at = 0;
  while (at < lines.length) {
    const rest = lines.slice(at);
    if (rest[0]?.trim() === '') {
      at += 1;
      continue;
    }
    const block =
      fence(rest) ??
      heading(rest) ??
      rule(rest) ??
      table(rest) ??
      list(rest) ??
      quote(rest) ??
      paragraph(rest);
    parts.push(block.html);
    at += block.lines;
  }
  return parts.join('\n');
}

/** Renders the everyday part of GitHub's Markdown. Everything is escaped but a few harmless tags; HTML comments are left out. */
export function markdown(text: string): Html {
  const visible = text
    .replace(/<!--[\s\S]*?-->/g, '')
    .replaceAll('\r\n', '\n')
    .replaceAll('\0', '');
  return raw(blocks(visible.split('\n')));
}
