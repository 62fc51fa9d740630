import type { RepoRef } from '../../github/client.ts';
import type { ComparedFile } from '../../github/commits.ts';
import { readBlob } from '../../github/trees.ts';
import type { Deps as AllDeps } from '../deps.ts';
import { type ChangedText, compareLines, type LineChange, readPatch, textOf } from './checks/lines.ts';
import type { Pair, TreeEntry } from './diff-gate.ts';

type Deps = Pick<AllDeps, 'github'>;

/** Files whose text GitHub does not show in the comparison and that are read whole. */
const MOST_READ = 500;
/** Their bytes together. What nobody looked through is not published. */
const MOST_BYTES = 100 * 1024 * 1024;
const AT_ONCE = 6;

export interface ChangeToRead {
  readonly pairs: readonly Pair[];
  /** The base's whole tree: what is in it is public already, whatever its name. */
  readonly base: readonly TreeEntry[];
  readonly files: readonly ComparedFile[];
}

export type ReadChange =
  | { readonly kind: 'read'; readonly texts: readonly ChangedText[] }
  | { readonly kind: 'too_much'; readonly reason: string };

/** The lines of every changed file: from the comparison where it has them whole, else from the blobs. */
export async function readChange(deps: Deps, repo: RepoRef, change: ChangeToRead): Promise<ReadChange> {
  const plans = plansOf(change);
  const reads = plans.filter(({ lines }) => lines === null);
  const bytes = reads.reduce((sum, { pair }) => sum + (pair.after?.size ?? 0) + (pair.before?.size ?? 0), 0);
  if (reads.length > MOST_READ || bytes > MOST_BYTES) {
    const reason = `GitHub shows no difference of ${reads.length} changed files with ${Math.ceil(bytes / 1024 ** 2)} MiB, and at most ${MOST_READ} such files with ${MOST_BYTES / 1024 ** 2} MiB can be searched for secrets.`;
    return { kind: 'too_much', reason };
  }
  const texts: ChangedText[] = [];
  for (let at = 0; at < plans.length; at += AT_ONCE) {
    const some = plans.slice(at, at + AT_ONCE);
    texts.push(...(await Promise.all(some.map((plan) => textOfPlan(deps, repo, plan)))));
  }
  return { kind: 'read', texts };
}

interface Plan {
  readonly pair: Pair;
  readonly movedFrom: string | null;
  /** Null where the blobs have to be read. */
  readonly lines: LineChange | null;
}

function plansOf({ pairs, base, files }: ChangeToRead): Plan[] {
  const known = new Map(files.map((file) => [file.path, file]));
  const blobs = new Set(base.map(({ sha }) => sha));
  const gone = new Map(
    pairs.flatMap(({ before, after }) => (before && !after ? [[before.path, before.sha]] : [])),
  );
  const plans = pairs.map((pair) => {
    const file = known.get(pair.path);
    return planOf(pair, {
      file,
      isKnown: blobs.has(pair.after?.sha ?? ''),
      movedFrom: originOf(pair, { file, gone }),
    });
  });
  const moved = new Set(plans.flatMap(({ movedFrom }) => (movedFrom === null ? [] : [movedFrom])));
  // A file that was moved is told of once, under its new name.
  return plans.filter(({ pair }) => pair.change !== 'deleted' || !moved.has(pair.path));
}

/** Which of the files that are gone this new one was. */
function originOf(
  { before, after }: Pair,
  { file, gone }: { file: ComparedFile | undefined; gone: ReadonlyMap<string, string> },
): string | null {
  if (before || !after) return null;
  if (file?.previousPath && gone.has(file.previousPath)) return file.previousPath;
  return [...gone].find(([, sha]) => sha === after.sha)?.[0] ?? null;
}

const NOTHING: LineChange = { added: [], removed: [] };

function planOf(
  pair: Pair,
  known: { file: ComparedFile | undefined; isKnown: boolean; movedFrom: string | null },
): Plan {
  const { file, isKnown, movedFrom } = known;
  const plan = { pair, movedFrom };
  // A new name for what the base has already shows nobody anything new.
  if (pair.change === 'mode' || (!pair.before && isKnown)) return { ...plan, lines: NOTHING };
  // Of what goes away, only what GitHub shows without another question is told.
  const shown = shownLines(pair, file);
  return { ...plan, lines: shown ?? (pair.change === 'deleted' ? NOTHING : null) };
}

/** The comparison's own lines, if they are of this very blob and all there. */
function shownLines(pair: Pair, file: ComparedFile | undefined): LineChange | null {
  const sha = (pair.after ?? pair.before)?.sha;
  if (!file || file.patch === null || file.sha !== sha) return null;
  const lines = readPatch(file.patch);
  const whole = lines.added.length === file.additions && lines.removed.length === file.deletions;
  return whole ? lines : null;
}

async function textOfPlan(deps: Deps, repo: RepoRef, plan: Plan): Promise<ChangedText> {
  const { pair, movedFrom } = plan;
  const lines = plan.lines ?? (await readLines(deps, repo, pair));
  return { path: pair.path, change: pair.change, movedFrom, ...lines };
}

async function readLines(deps: Deps, repo: RepoRef, { before, after }: Pair): Promise<LineChange> {
  const read = async (entry: TreeEntry | undefined) =>
    entry?.type === 'blob' ? textOf(await readBlob(deps.github, repo, entry.sha)) : '';
  const [old, now] = await Promise.all([read(before), read(after)]);
  return compareLines(old, now);
}
