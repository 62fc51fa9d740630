import type { TreeEntry } from './objects.ts';
import type { GitStore } from './store.ts';

export interface TreeEdit {
  readonly path: string;
  /** The blob to put there; null removes the path. */
  readonly sha: string | null;
  readonly mode?: string;
}

/** Finds what stands at a path below a commit or tree; null where there is nothing. */
export async function entryAt(store: GitStore, root: string, path: string): Promise<TreeEntry | null> {
  const parts = path.split('/').filter(Boolean);
  let name = root;
  let found: TreeEntry | null = null;
  for (const [index, part] of parts.entries()) {
    const entries = await store.tree(name);
    found = entries?.find((entry) => entry.name === part) ?? null;
    if (!found) return null;
    if (index < parts.length - 1 && found.mode !== '040000') return null;
    name = found.sha;
  }
  return found;
}

/** Writes the tree that results from changes to `root` (null: nothing there yet) and returns its sha; folders that become empty go. */
export async function editTree(
  store: GitStore,
  root: string | null,
  edits: readonly TreeEdit[],
): Promise<string> {
  const entries = new Map((root ? ((await store.tree(root)) ?? []) : []).map((entry) => [entry.name, entry]));
  const below = new Map<string, TreeEdit[]>();
  for (const edit of edits) {
    const [first = '', ...rest] = edit.path.split('/');
    if (rest.length > 0) below.set(first, [...(below.get(first) ?? []), { ...edit, path: rest.join('/') }]);
    else if (edit.sha === null) entries.delete(first);
    else entries.set(first, { name: first, mode: edit.mode ?? '100644', sha: edit.sha });
  }
  for (const [name, inner] of below) {
    const old = entries.get(name);
    const sha = await editTree(store, old?.mode === '040000' ? old.sha : null, inner);
    if (((await store.tree(sha)) ?? []).length === 0) entries.delete(name);
    else entries.set(name, { name, mode: '040000', sha });
  }
  return store.writeTree([...entries.values()]);
}
