import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Commit,
  formatCommit,
  formatTree,
  parseCommit,
  parseTree,
  type TreeEntry,
  writeObject,
} from './objects.ts';
import { type GitObject, openReader } from './reader.ts';

/** One bare repository: cheap reads through a long-lived process, writes as loose objects. */
export interface GitStore {
  readonly dir: string;
  read(name: string): Promise<GitObject | null>;
  /** The commit that a sha or full ref name leads to; null for none. */
  commit(name: string): Promise<Commit | null>;
  /** The entries of a tree (or of a commit's tree); null for none. */
  tree(name: string): Promise<TreeEntry[] | null>;
  writeBlob(content: Buffer): Promise<string>;
  writeTree(entries: readonly TreeEntry[]): Promise<string>;
  writeCommit(commit: Omit<Commit, 'sha'>): Promise<string>;
  close(): void;
}

// A blobless clone needs filters and later asks for single objects; nothing may repack behind the emulator's back.
const CONFIG = `[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = true
\tlogAllRefUpdates = false
[http]
\treceivepack = true
[uploadpack]
\tallowFilter = true
\tallowAnySHA1InWant = true
[receive]
\tautogc = false
\tdenyDeleteCurrent = refuse
[gc]
\tauto = 0
`;

/** Lays out an empty bare repository; by hand, since `git init` costs a process and copies templates. */
export async function createStore(dir: string, defaultBranch: string): Promise<GitStore> {
  await Promise.all([
    mkdir(join(dir, 'objects', 'pack'), { recursive: true }),
    mkdir(join(dir, 'objects', 'info'), { recursive: true }),
    mkdir(join(dir, 'refs', 'heads'), { recursive: true }),
    mkdir(join(dir, 'refs', 'tags'), { recursive: true }),
  ]);
  await Promise.all([writeFile(join(dir, 'config'), CONFIG), setHead(dir, defaultBranch)]);
  return openStore(dir);
}

/** Points HEAD, and with it what a clone checks out, at a branch. */
export function setHead(dir: string, branch: string): Promise<void> {
  return writeFile(join(dir, 'HEAD'), `ref: refs/heads/${branch}\n`);
}

function openStore(dir: string): GitStore {
  const reader = openReader(dir);
  return {
    dir,
    read: reader.read,
    async commit(name) {
      const object = await reader.read(`${name}^{commit}`);
      return object?.type === 'commit' ? parseCommit(object.sha, object.content) : null;
    },
    async tree(name) {
      const object = await reader.read(`${name}^{tree}`);
      return object?.type === 'tree' ? parseTree(object.content) : null;
    },
    writeBlob: (content) => writeObject(dir, 'blob', content),
    writeTree: (entries) => writeObject(dir, 'tree', formatTree(entries)),
    writeCommit: (commit) => writeObject(dir, 'commit', formatCommit(commit)),
    close: reader.close,
  };
}
