import { git } from './run.ts';

/** Git's tree without entries: the "before" of a first commit. */
export const EMPTY_TREE = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';

export type FileStatus = 'added' | 'removed' | 'modified' | 'renamed' | 'changed';

export interface ChangedFile {
  readonly sha: string;
  readonly path: string;
  readonly previousPath: string | null;
  readonly status: FileStatus;
  readonly additions: number;
  readonly deletions: number;
  /** Unified diff from the first hunk on; null for binary and very large files and for pure renames. */
  readonly patch: string | null;
}

const STATUS: Record<string, FileStatus> = {
  A: 'added',
  D: 'removed',
  M: 'modified',
  R: 'renamed',
  T: 'changed',
};

/** The files that differ between two trees or commits, by path. */
export async function changedFiles(dir: string, before: string, after: string): Promise<ChangedFile[]> {
  const [raw, patch] = await Promise.all([
    git(dir, ['diff', '-M', '--raw', '--numstat', '-z', '--no-abbrev', before, after, '--']),
    git(dir, ['diff', '-M', '--patch', '--no-color', '--no-ext-diff', '--no-textconv', before, after, '--']),
  ]);
  const hunks = splitPatch(patch);
  const entries = parseRaw(raw.split('\0'));
  return entries.map((entry) => {
    const text = hunks.shift() ?? '';
    if (entry.status === 'changed') hunks.shift(); // a change of type is printed as a removal and an addition
    const from = text.indexOf('\n@@ ');
    return { ...entry, patch: from < 0 || isTooLarge(text) ? null : text.slice(from + 1).replace(/\n$/, '') };
  });
}

/** GitHub shows no diff of a file that is larger than this. */
function isTooLarge(patch: string): boolean {
  return patch.length > 500 * 1024 || patch.split('\n').length > 20_000;
}

function splitPatch(patch: string): string[] {
  return patch === '' ? [] : patch.split(/^(?=diff --git )/m);
}

type RawEntry = Omit<ChangedFile, 'patch'>;

/** Parses `--raw --numstat -z`: first all `:modes shas status` records, then all counts, in the same order. */
function parseRaw(fields: string[]): RawEntry[] {
  const files: { sha: string; path: string; previousPath: string | null; status: FileStatus }[] = [];
  while (fields[0]?.startsWith(':')) {
    const [, , before = '', after = '', letter = 'M'] = fields.shift()!.split(' ');
    const status = STATUS[letter[0] ?? 'M'] ?? 'modified';
    const previousPath = status === 'renamed' ? (fields.shift() ?? null) : null;
    files.push({
      status,
      previousPath,
      path: fields.shift() ?? '',
      sha: status === 'removed' ? before : after,
    });
  }
  return files.map((file) => {
    const [additions = '0', deletions = '0'] = (fields.shift() ?? '').split('\t');
    if (file.status === 'renamed') fields.splice(0, 2); // with -z a rename's two paths are fields of their own
    return { ...file, additions: Number(additions) || 0, deletions: Number(deletions) || 0 };
  });
}

export interface NamedChanges {
  readonly added: string[];
  readonly removed: string[];
  readonly modified: string[];
}

/** The paths that each commit changed against its parent; a merge names none. */
export async function namesChanged(dir: string, shas: readonly string[]): Promise<Map<string, NamedChanges>> {
  const changes = new Map<string, NamedChanges>(
    shas.map((sha) => [sha, { added: [], removed: [], modified: [] }]),
  );
  if (shas.length === 0) return changes;
  const args = ['diff-tree', '--stdin', '-r', '-z', '--root', '--name-status', '--no-renames'];
  const fields = (await git(dir, args, `${shas.join('\n')}\n`)).split(/[\0]/);
  let current: NamedChanges | undefined;
  for (let at = 0; at < fields.length; at += 1) {
    const field = (fields[at] ?? '').trim();
    if (changes.has(field)) current = changes.get(field);
    else if (/^[AMDT]$/.test(field)) {
      at += 1; // the path follows its letter
      const list = field === 'A' ? current?.added : field === 'D' ? current?.removed : current?.modified;
      list?.push(fields[at] ?? '');
    }
  }
  return changes;
}

/** The commits of a range one by one with their messages and differences. */
export function seriesText(dir: string, before: string, after: string): Promise<string> {
  const args = ['format-patch', '--stdout', '--no-signature', '--no-ext-diff', '--no-textconv', '--binary'];
  return git(dir, [...args, `${before}..${after}`]);
}
