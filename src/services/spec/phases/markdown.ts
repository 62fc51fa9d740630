import { inline, prose } from '../../markdown/markdown.ts';

/** A titled part of a document, or nothing where the content is empty. */
export function section(title: string, body: string): string[] {
  return body.trim() === '' ? [] : [`### ${title}\n\n${body.trim()}`];
}

/** A bullet list of untrusted lines. */
export function bullets(items: readonly string[]): string {
  return items.map((item) => `- ${inline(item, 1000)}`).join('\n');
}

/** A titled bullet list, or nothing where there are no items. */
export function listSection(title: string, items: readonly string[]): string[] {
  return section(title, bullets(items));
}

/** A titled paragraph of untrusted Markdown. */
export function proseSection(title: string, text: string): string[] {
  return section(title, prose(text));
}

/** Parts of a document, a blank line apart. */
export function joinSections(sections: readonly string[]): string {
  return sections.join('\n\n');
}
