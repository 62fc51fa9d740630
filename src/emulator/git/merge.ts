import { listCommits } from './history.ts';
import type { Person } from './objects.ts';
import { git, tryGit } from './run.ts';
import type { GitStore } from './store.ts';

/** The tree of a three-way merge of two commits; null where they conflict. */
export async function mergeTree(dir: string, ours: string, theirs: string): Promise<string | null> {
  const result = await tryGit(dir, ['merge-tree', '--write-tree', '--no-messages', ours, theirs]);
  if (result.code === 0) return result.stdout.toString().trim();
  if (result.code === 1) return null;
  if (/unrelated histories/.test(result.stderr)) return null;
  throw new Error(`git merge-tree failed (${result.code}): ${result.stderr.trim()}`);
}

/** Replays the commits of `head` that `base` lacks on top of `base`; the new tip, or null on a conflict. */
export async function rebase(
  store: GitStore,
  shas: { base: string; head: string },
  committer: Person,
): Promise<string | null> {
  let tip = shas.base;
  for (const sha of await listCommits(store.dir, shas)) {
    const commit = await store.commit(sha);
    if (!commit) throw new Error(`no commit ${sha}`);
    if (commit.parents.length !== 1) continue; // as `git rebase` does, merges are left out
    const tree = await pick(store, { tip, sha, parent: commit.parents[0]! });
    if (tree === null) return null;
    tip = await store.writeCommit({ ...commit, tree, parents: [tip], committer });
  }
  return tip;
}

/** The tree of one commit's change applied to the tip. Git 2.39 has no `--merge-base`, so the tip's tree is put on top of the commit's parent first. */
async function pick(
  store: GitStore,
  at: { tip: string; sha: string; parent: string },
): Promise<string | null> {
  const tree = (await git(store.dir, ['rev-parse', `${at.tip}^{tree}`])).trim();
  const nobody = { name: 'rebase', email: 'rebase@invalid', date: new Date(0) };
  const stand = await store.writeCommit({
    tree,
    parents: [at.parent],
    author: nobody,
    committer: nobody,
    message: 'stand-in',
  });
  return mergeTree(store.dir, stand, at.sha);
}
