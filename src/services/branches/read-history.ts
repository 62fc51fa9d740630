/**
 * What commits on the way add and later ones take away again is in no difference between base and head, and public all
 * the same once the branch has the commits.
 */
import type { RepoRef } from '../../github/client.ts';
import {
  type ComparedCommit,
  type ComparedFile,
  compareCommits,
  readSeriesText,
} from '../../github/commits.ts';
import { readBlob } from '../../github/trees.ts';
import type { Deps as AllDeps } from '../deps.ts';
import { type Line, readPatch, textOf } from './checks/lines.ts';
import { readSeries } from './checks/patch-series.ts';
import type { ScannedText } from './checks/secrets.ts';
import type { TreeEntry } from './diff-gate.ts';

type Deps = Pick<AllDeps, 'github'>;

const AT_ONCE = 6;
/** GitHub lists no more files of one comparison; a longer list may be cut. */
const MOST_FILES = 300;
/** Blobs that are read whole, of all commits together. */
const MOST_READ = 200;

export interface History {
  /** Oldest first; the last one is the head, whose lines the whole difference has. */
  readonly commits: readonly ComparedCommit[];
  readonly base: readonly TreeEntry[];
  readonly head: readonly TreeEntry[];
}

export type ReadHistory =
  | { readonly kind: 'read'; readonly texts: readonly ScannedText[] }
  | { readonly kind: 'too_much'; readonly reason: string };

/**
 * The lines that each commit adds, to be searched for secrets: from one text that has them all, or, where that does not show
 * everything, commit by commit. A single commit adds nothing that the whole difference does not show.
 */
export async function readHistory(deps: Deps, repo: RepoRef, history: History): Promise<ReadHistory> {
  const { commits } = history;
  if (commits.length < 2) return { kind: 'read', texts: [] };
  const straight = commits.every(({ parents }) => parents.length === 1);
  const range = { base: commits[0]!.parents[0]!, head: commits.at(-1)!.sha };
  const text = straight ? await readSeriesText(deps.github, repo, range) : null;
  const series = text === null ? null : readSeries(text);
  const shas = new Set(commits.map(({ sha }) => sha));
  // A message may speak of commits that there are not, and a text may be cut: then it is not to be relied on.
  const isWhole = [...shas].every((sha) => text?.includes(`From ${sha} `));
  if (!series || !isWhole || !series.every(({ commit }) => shas.has(commit))) {
    return readOneByOne(deps, repo, history);
  }
  return { kind: 'read', texts: series };
}

async function readOneByOne(deps: Deps, repo: RepoRef, history: History): Promise<ReadHistory> {
  const known = new Set([...history.base, ...history.head].map(({ sha }) => sha));
  const paths = new Set(history.base.map(({ path }) => path));
  const steps = history.commits.slice(0, -1).filter(({ parents }) => parents.length > 0);
  const files: { commit: string; file: ComparedFile }[] = [];
  for (let at = 0; at < steps.length; at += AT_ONCE) {
    const read = await Promise.all(steps.slice(at, at + AT_ONCE).map((step) => filesOf(deps, repo, step)));
    for (const [index, found] of read.entries()) {
      const commit = steps[at + index]!.sha;
      if (found.length >= MOST_FILES) return tooMuch(`commit ${commit.slice(0, 7)} changes too many files`);
      files.push(...found.map((file) => ({ commit, file })));
    }
  }
  // A blob that base or head has is looked at there.
  const unseen = files.filter(({ file }) => file.sha !== null && !known.has(file.sha));
  const hidden = unseen.filter(({ file }) => shownLines(file) === null);
  if (hidden.length > MOST_READ)
    return tooMuch(`GitHub shows no difference of ${hidden.length} of its files`);
  const texts: ScannedText[] = [];
  for (const { commit, file } of unseen) {
    const lines = shownLines(file) ?? (await wholeText(deps, repo, file.sha!));
    texts.push({ path: file.path, commit, lines, isNew: !paths.has(file.path) });
  }
  return { kind: 'read', texts };
}

function tooMuch(why: string): ReadHistory {
  return { kind: 'too_much', reason: `The commits cannot be searched for secrets one by one: ${why}.` };
}

async function filesOf(
  deps: Deps,
  repo: RepoRef,
  { sha, parents }: ComparedCommit,
): Promise<readonly ComparedFile[]> {
  const compared = await compareCommits(deps.github, repo, { base: parents[0]!, head: sha });
  return compared.kind === 'missing' ? [] : compared.files;
}

function shownLines({ patch, additions }: ComparedFile): readonly Line[] | null {
  const added = patch === null ? null : readPatch(patch).added;
  return added?.length === additions ? added : null;
}

async function wholeText(deps: Deps, repo: RepoRef, sha: string): Promise<Line[]> {
  const text = textOf(await readBlob(deps.github, repo, sha));
  return text.split('\n').map((line, index) => ({ number: index + 1, text: line }));
}
