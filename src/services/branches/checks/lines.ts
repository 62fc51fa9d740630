/** One line and its number, from 1, on its own side of the change. */
export interface Line {
  readonly number: number;
  readonly text: string;
}

/** What a change does to one file's lines. */
export interface LineChange {
  /** Lines that only the head has. */
  readonly added: readonly Line[];
  /** Lines that only the base has. */
  readonly removed: readonly Line[];
}

/** A changed file with its text; files that only changed their name or mode have no lines here. */
export interface ChangedText extends LineChange {
  readonly path: string;
  readonly change: 'added' | 'modified' | 'deleted' | 'mode';
  /** Where the file was before, if it was only moved and perhaps edited; null otherwise. */
  readonly movedFrom: string | null;
}

/** Reads a unified diff from its first hunk on, as GitHub gives it for one file. */
export function readPatch(patch: string): LineChange {
  const added: Line[] = [];
  const removed: Line[] = [];
  let [before, after] = [0, 0];
  for (const line of patch.split('\n')) {
    const header = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/u.exec(line);
    // Inside a hunk every line starts with its sign, so that no content can look like a header.
    if (header) [before, after] = [Number(header[1]), Number(header[2])];
    else if (line.startsWith('+')) added.push({ number: after++, text: line.slice(1) });
    else if (line.startsWith('-')) removed.push({ number: before++, text: line.slice(1) });
    else if (!line.startsWith('\\')) [before, after] = [before + 1, after + 1];
  }
  return { added, removed };
}

/**
 * The lines that one text has more often than the other. A line that was only moved counts as neither, and the work
 * grows with the length alone, whatever somebody wrote to make it long.
 */
export function compareLines(before: string, after: string): LineChange {
  const [old, now] = [linesOf(before), linesOf(after)];
  return { added: surplus(now, old), removed: surplus(old, now) };
}

function surplus(of: readonly string[], over: readonly string[]): Line[] {
  const left = new Map<string, number>();
  for (const text of over) left.set(text, (left.get(text) ?? 0) + 1);
  return of.flatMap((text, index) => {
    const known = left.get(text) ?? 0;
    if (known === 0) return [{ number: index + 1, text }];
    left.set(text, known - 1);
    return [];
  });
}

function linesOf(text: string): string[] {
  if (text === '') return [];
  return (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n');
}

/** A blob's bytes as text to look through: UTF-16 by its mark, other binary files byte by byte. */
export function textOf(bytes: Buffer): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return bytes.subarray(2).toString('utf16le');
  if (bytes[0] === 0xfe && bytes[1] === 0xff) {
    const even = Buffer.from(bytes.subarray(2, bytes.length - (bytes.length % 2)));
    return even.swap16().toString('utf16le');
  }
  return bytes.toString(isBinary(bytes) ? 'latin1' : 'utf8');
}

/** As git judges it: a zero byte near the start. */
function isBinary(bytes: Buffer): boolean {
  return bytes.subarray(0, 8000).includes(0);
}
