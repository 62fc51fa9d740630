import type { Line } from './lines.ts';

/** The lines that one commit adds to one file. */
export interface AddedLines {
  readonly commit: string;
  readonly path: string;
  readonly isNew: boolean;
  readonly lines: readonly Line[];
}

/**
 * Reads what each commit of a series adds, from the text that `git format-patch` makes. Commit messages stand in it too and
 * may look like anything: every line that begins with a plus is taken, and at worst belongs to a wrong file of its commit.
 * Null where the text does not show all of it: of binary files it has no lines.
 */
export function readSeries(text: string): AddedLines[] | null {
  if (/^(?:GIT binary patch|Binary files .* differ)$/mu.test(text)) return null;
  const found: AddedLines[] = [];
  let at = { commit: '', path: '', isNew: false };
  let lines: Line[] = [];
  let number = 0;
  const file = (next: Partial<typeof at>) => {
    if (lines.length > 0) found.push({ ...at, lines });
    lines = [];
    at = { ...at, ...next };
  };
  let inHunk = false;
  for (const line of text.split('\n')) {
    const hunk = /^@@ -\d+(?:,\d+)? \+(\d+)/u.exec(line);
    if (hunk) {
      inHunk = true;
      number = Number(hunk[1]);
    } else if (inHunk && line.startsWith(' ')) number += 1;
    else if (line.startsWith('+') && (inHunk || !line.startsWith('+++ '))) {
      lines.push({ number: number++, text: line.slice(1) });
    } else if (!inHunk && line.startsWith('+++ ')) file({ path: pathOf(line) });
    else if (!inHunk && line === '--- /dev/null') file({ isNew: true });
    else if (!/^[-\\ ]/u.test(line)) {
      inHunk = false;
      const commit = /^From ([0-9a-f]{40}) /u.exec(line)?.[1];
      if (commit !== undefined) file({ commit, path: '' });
      else if (line.startsWith('diff --git ')) file({ path: '', isNew: false });
    }
  }
  file({});
  return found;
}

function pathOf(header: string): string {
  // A name with odd characters is quoted, and is refused for them in any case.
  return header
    .slice('+++ '.length)
    .replace(/^"?b\//u, '')
    .replace(/"?\t?$/u, '');
}
