import type { ComparedFile } from '../../github/commits.ts';
import { cleanText, cutText } from '../markdown/markdown.ts';
import type { ChangedText } from './checks/lines.ts';
import { isLockFile } from './checks/lock-files.ts';
import { type Weakening, weakenedTests } from './checks/weakened-tests.ts';

/** One changed file, for people. */
export interface ReportedFile {
  readonly path: string;
  readonly change: ChangedText['change'];
  readonly movedFrom: string | null;
  readonly added: number;
  readonly removed: number;
}

/** What the gate found on the way that is no reason to refuse the change; kept with the spec. */
export interface GateReport {
  /** The commit that was judged. */
  readonly sha: string;
  readonly files: readonly ReportedFile[];
  /** How many there are, where they are not all listed. */
  readonly fileCount: number;
  readonly added: number;
  readonly removed: number;
  readonly generated: readonly string[];
  readonly lockFiles: readonly string[];
  readonly weakened: readonly Weakening[];
  /** For a comment, cut; null where nobody has to approve the change, and in reports of older versions. */
  readonly diff?: string | null;
}

/** Kept of each list: far more than anybody reads. */
const MOST_FILES = 300;
const MOST_WEAKENED = 100;
/** A comment takes 65,536 characters, and some of them are needed for what stands around. */
const MOST_DIFF = 50_000;

/** Sums a judged change up. Lines are counted as far as GitHub showed them. */
export function reportOf(
  sha: string,
  judged: { texts: readonly ChangedText[]; isGenerated: (path: string) => boolean },
): GateReport {
  // Postgres stores no zero byte, and a name that goes away may have anything in it.
  const texts = judged.texts.map((text) => ({ ...text, path: cleanText(text.path) }));
  const files = texts.map(({ path, change, movedFrom, added, removed }) => {
    return { path, change, movedFrom, added: added.length, removed: removed.length };
  });
  const paths = files.map(({ path }) => path);
  const byHand = texts.filter(({ path }) => !judged.isGenerated(path));
  return {
    sha,
    files: files.slice(0, MOST_FILES),
    fileCount: files.length,
    added: files.reduce((sum, { added }) => sum + added, 0),
    removed: files.reduce((sum, { removed }) => sum + removed, 0),
    generated: paths.filter(judged.isGenerated).slice(0, MOST_FILES),
    lockFiles: paths.filter(isLockFile).slice(0, MOST_FILES),
    weakened: weakenedTests(byHand).slice(0, MOST_WEAKENED),
  };
}

/** The difference as text, file by file, at most about 50,000 characters. */
export function shownDiff(files: readonly ComparedFile[]): string {
  const parts: string[] = [];
  let length = 0;
  for (const [index, { path, previousPath, patch }] of files.entries()) {
    const name = previousPath === null ? path : `${previousPath} → ${path}`;
    const part = cleanText(
      `=== ${name}\n${patch ?? '(no difference to show: binary, very large, or only moved)'}`,
    );
    const left = MOST_DIFF - length;
    parts.push(cutText(part, left));
    length += part.length + 1;
    if (part.length <= left) continue;
    parts.push(`=== cut here; ${files.length - index - 1} more files follow`);
    break;
  }
  return parts.join('\n');
}
