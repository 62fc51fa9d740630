import { type LockFileRule, lockFileProblem } from './checks/lock-files.ts';
import { matchesPattern } from './glob.ts';
import { type Links, linkProblem } from './links.ts';
import { foldPath, formProblem, type PathRules, protectionProblem } from './paths.ts';

/** One entry of `git ls-tree -r` or of GitHub's recursive tree. */
export interface TreeEntry {
  readonly path: string;
  /** "100644", "100755", "120000", "160000"; "040000" for folders, which are passed over. */
  readonly mode: string;
  readonly type: 'blob' | 'tree' | 'commit';
  readonly sha: string;
  /** Bytes; of blobs only. */
  readonly size?: number;
}

export interface DiffRules extends PathRules {
  /** Patterns of files that tools write: they do not count for the limits. */
  readonly generatedPaths?: readonly string[];
  /** Every lock file passes where nothing is said. */
  readonly lockFiles?: LockFileRule;
  readonly maxFiles: number;
  readonly maxFileBytes: number;
  readonly maxTotalBytes: number;
  /** The spec's own folder, whose files alone are no reason for a pull request. */
  readonly specFolder: string | null;
}

export interface Change {
  readonly path: string;
  readonly change: 'added' | 'modified' | 'deleted' | 'mode';
}

/** `path` is "." where the change as a whole is refused; `reason` is a whole sentence. */
export interface Refusal {
  readonly path: string;
  readonly reason: string;
}

export interface DiffVerdict {
  readonly changed: Change[];
  readonly refusals: Refusal[];
  /** Nothing differs outside the spec's own folder. */
  readonly nothingNew: boolean;
}

/** Entries on both sides of one change. */
export interface Pair extends Change {
  readonly before: TreeEntry | undefined;
  readonly after: TreeEntry | undefined;
}

export interface DiffInput {
  /** The tree of the merge base. */
  readonly base: readonly TreeEntry[];
  readonly head: readonly TreeEntry[];
  /** Targets of the head's symbolic links by path; a changed link that is missing here is refused. */
  readonly symlinkTargets: Readonly<Record<string, string>>;
  readonly rules: DiffRules;
}

/**
 * Compares two whole trees and says what of the difference may not be published. What was so before is left
 * alone, however odd: only changes are judged.
 */
export function inspectDiff(input: DiffInput): DiffVerdict {
  const { rules } = input;
  const pairs = pairsOf(input.base, input.head);
  const changed = pairs.map(({ path, change }) => ({ path, change }));
  const links = linksOf(input);
  const own = rules.specFolder === null ? null : `${rules.specFolder}/`;
  return {
    changed,
    refusals: [
      ...pairs.flatMap((pair) => {
        const problem = pairProblem(pair, rules, links);
        return problem ? [{ path: pair.path, reason: `${JSON.stringify(pair.path)} ${problem}.` }] : [];
      }),
      ...collisions(pairs, input.head),
      ...lockRefusals(changed, rules),
      ...sizeRefusals(
        pairs.filter(({ path }) => !isGenerated(path, rules)),
        rules,
      ),
    ],
    nothingNew: pairs.every(({ path }) => own !== null && path.startsWith(own)),
  };
}

/** Every file that differs, with its entry on both sides, in order of path. */
export function pairsOf(base: readonly TreeEntry[], head: readonly TreeEntry[]): Pair[] {
  const before = filesOf(base);
  const after = filesOf(head);
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort((a, b) => (a < b ? -1 : 1));
  return paths.flatMap((path) => {
    const pair = { path, before: before.get(path), after: after.get(path) };
    const change = changeOf(pair.before, pair.after);
    return change === null ? [] : [{ ...pair, change }];
  });
}

function filesOf(entries: readonly TreeEntry[]): Map<string, TreeEntry> {
  return new Map(entries.filter(({ type }) => type !== 'tree').map((entry) => [entry.path, entry]));
}

function changeOf(before: TreeEntry | undefined, after: TreeEntry | undefined): Change['change'] | null {
  if (!before) return 'added';
  if (!after) return 'deleted';
  if (before.sha !== after.sha || before.type !== after.type) return 'modified';
  return before.mode === after.mode ? null : 'mode';
}

function linksOf(input: DiffInput): Links {
  const links = input.head.filter(({ mode }) => mode === '120000');
  const target = (path: string) =>
    Object.hasOwn(input.symlinkTargets, path) ? input.symlinkTargets[path] : null;
  return new Map(links.map(({ path }) => [path, target(path) ?? null]));
}

function pairProblem(pair: Pair, rules: DiffRules, links: Links): string | null {
  return (
    submoduleProblem(pair) ??
    // An odd name that goes away is a good change.
    (pair.after ? formProblem(pair.path) : null) ??
    protectionProblem(pair.path, rules) ??
    modeProblem(pair) ??
    (pair.after?.mode === '120000' ? linkProblem(pair.path, links) : null) ??
    (isGenerated(pair.path, rules) ? null : fileSizeProblem(pair, rules))
  );
}

function submoduleProblem({ before, after }: Pair): string | null {
  if (after && isSubmodule(after))
    return 'is a submodule, which would bring in code that nobody reviews here';
  if (before && isSubmodule(before)) return 'was a submodule, and submodules are not ours to change';
  return null;
}

function isSubmodule(entry: TreeEntry): boolean {
  return entry.type === 'commit' || entry.mode === '160000';
}

function modeProblem({ before, after }: Pair): string | null {
  if (!after) return null;
  // 100755 is fine on a new script as well as on an old one: a reviewer sees it in the diff.
  if (!['100644', '100755', '120000'].includes(after.mode)) return `has the odd file mode ${after.mode}`;
  if (after.mode === '120000' && before && before.mode !== '120000')
    return 'was a file and would become a symbolic link';
  if (after.mode === '120000' && foldPath(after.path) === '.github')
    return 'would put a symbolic link where GitHub looks for its settings';
  return null;
}

function fileSizeProblem({ after }: Pair, rules: DiffRules): string | null {
  if (!after) return null;
  if (after.size === undefined) return 'has an unknown size';
  return after.size > rules.maxFileBytes
    ? `has ${bytes(after.size)}, more than the ${bytes(rules.maxFileBytes)} that one file may have`
    : null;
}

/** Whether the settings say that tools write this file. */
export function isGenerated(
  path: string,
  { generatedPaths = [] }: Pick<DiffRules, 'generatedPaths'>,
): boolean {
  return generatedPaths.some((pattern) => matchesPattern(path, pattern));
}

function lockRefusals(changes: readonly Change[], { lockFiles = 'allow' }: DiffRules): Refusal[] {
  const changed = changes.map(({ path }) => path);
  return changed.flatMap((path) => {
    const problem = lockFileProblem(path, { changed, rule: lockFiles });
    return problem ? [{ path, reason: `${JSON.stringify(path)} ${problem}.` }] : [];
  });
}

/** Names that differ in case or accents only are one file, or one folder, on many disks, and can trick git there. */
function collisions(pairs: readonly Pair[], head: readonly TreeEntry[]): Refusal[] {
  const spellings = new Map<string, Set<string>>();
  for (const { path } of filesOf(head).values())
    for (const prefix of prefixesOf(path)) {
      const folded = foldPath(prefix);
      spellings.set(folded, (spellings.get(folded) ?? new Set()).add(prefix));
    }
  return pairs
    .filter(({ change }) => change === 'added')
    .flatMap(({ path }) => {
      const other = prefixesOf(path)
        .flatMap((prefix) =>
          [...(spellings.get(foldPath(prefix)) ?? [])].filter((spelling) => spelling !== prefix),
        )
        .at(0);
      if (other === undefined) return [];
      const reason = `${JSON.stringify(path)} differs from ${JSON.stringify(other)} in case or accents only, which is the same name on many disks.`;
      return [{ path, reason }];
    });
}

function prefixesOf(path: string): string[] {
  const parts = path.split('/');
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

function sizeRefusals(pairs: readonly Pair[], rules: DiffRules): Refusal[] {
  const total = pairs.reduce((sum, { after }) => sum + (after?.size ?? 0), 0);
  const refusals: string[] = [
    ...(pairs.length > rules.maxFiles
      ? [
          `The change touches ${pairs.length} files, more than the ${rules.maxFiles} that one pull request may touch.`,
        ]
      : []),
    ...(total > rules.maxTotalBytes
      ? [
          `The changed files have ${bytes(total)} together, more than the ${bytes(rules.maxTotalBytes)} that one pull request may bring.`,
        ]
      : []),
  ];
  return refusals.map((reason) => ({ path: '.', reason }));
}

function bytes(count: number): string {
  if (count < 1024) return `${count} bytes`;
  const [size, unit] = count < 1024 ** 2 ? [count / 1024, 'KiB'] : [count / 1024 ** 2, 'MiB'];
  return `${Number(size.toFixed(1))} ${unit}`;
}
