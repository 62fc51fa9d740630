import { cleanText } from './clean.ts';

/**
 * A Markdown text without what its reader could not see: HTML comments outside code blocks and invisible
 * characters. The person who labels an issue vouches for what is shown to them, not for what is hidden in it.
 */
export function visibleText(markdown: string): string {
  const shown: string[] = [];
  let fenced: string | null = null;
  let inComment = false;
  for (const line of cleanText(markdown).split('\n')) {
    const run = inComment ? undefined : /^ {0,3}(`{3,}|~{3,})/u.exec(line)?.[1];
    if (run !== undefined) {
      if (fenced === null) fenced = run;
      else if (run[0] === fenced[0] && run.length >= fenced.length) fenced = null;
    }
    if (fenced !== null || run !== undefined) {
      shown.push(line);
      continue;
    }
    const cut = cutComments(line, inComment);
    inComment = cut.inComment;
    if (cut.text.trim() !== '' || line.trim() === '') shown.push(cut.text);
  }
  return shown.join('\n').trim();
}

function cutComments(line: string, inside: boolean): { text: string; inComment: boolean } {
  let rest = line;
  let text = '';
  let inComment = inside;
  while (rest !== '') {
    const mark = inComment ? '-->' : '<!--';
    const at = rest.indexOf(mark);
    if (!inComment) text += at < 0 ? rest : rest.slice(0, at);
    if (at < 0) break;
    rest = rest.slice(at + mark.length);
    inComment = !inComment;
  }
  return { text, inComment };
}
