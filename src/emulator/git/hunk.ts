/** The part of a file's patch that ends with a line of one of its sides, and how far from its first hunk that is; null where the patch does not show the line. */
export function hunkTo(
  patch: string,
  wanted: { side: 'LEFT' | 'RIGHT'; line: number },
): { text: string; position: number } | null {
  const lines = patch.split('\n');
  let start = 0;
  let [left, right] = [0, 0];
  for (const [position, text] of lines.entries()) {
    const header = /^@@ -(\d+)(?:,\d+)? \+(\d+)/.exec(text);
    if (header) {
      start = position;
      [left, right] = [Number(header[1]), Number(header[2])];
      continue;
    }
    if (text.startsWith('\\')) continue; // "No newline at end of file" is no line
    const here = wanted.side === 'LEFT' ? !text.startsWith('+') && left : !text.startsWith('-') && right;
    if (here === wanted.line) return { text: lines.slice(start, position + 1).join('\n'), position };
    if (!text.startsWith('+')) left += 1;
    if (!text.startsWith('-')) right += 1;
  }
  return null;
}
