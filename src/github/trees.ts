import { RetryableError } from '../errors.ts';
import type { GitHub, RepoRef } from './client.ts';

export interface TreeEntry {
  readonly path: string;
  /** Git's mode in octal digits: `100644`, `100755`, `040000`, `120000` (link), `160000` (submodule). */
  readonly mode: string;
  readonly type: string;
  readonly sha: string;
  /** In bytes; undefined for trees and submodules. */
  readonly size: number | undefined;
}

export interface Tree {
  readonly sha: string;
  readonly entries: readonly TreeEntry[];
  /** True when GitHub left entries out (over 100,000 or 7 MB): what is absent here may exist. */
  readonly truncated: boolean;
}

/** A tree by the sha of itself or of its commit; `recursive` lists its subtrees' files too. */
export async function readTree(
  gh: GitHub,
  repo: RepoRef,
  { sha, recursive = false }: { readonly sha: string; readonly recursive?: boolean },
): Promise<Tree> {
  const { data } = await gh.call(
    { repo, profile: 'reader' },
    'GET /repos/{owner}/{repo}/git/trees/{tree_sha}',
    {
      tree_sha: sha,
      // Whatever its value, the parameter turns recursion on.
      ...(recursive ? { recursive: '1' } : {}),
    },
  );
  const entries = data.tree.map((entry) => ({
    path: entry.path,
    mode: entry.mode,
    type: entry.type,
    sha: entry.sha,
    size: entry.size,
  }));
  return { sha: data.sha, entries, truncated: data.truncated };
}

/** A blob's bytes. */
export async function readBlob(gh: GitHub, repo: RepoRef, sha: string): Promise<Buffer> {
  const { data } = await gh.call(
    { repo, profile: 'reader' },
    'GET /repos/{owner}/{repo}/git/blobs/{file_sha}',
    {
      file_sha: sha,
    },
  );
  if (data.encoding === 'base64') return Buffer.from(data.content, 'base64');
  if (data.encoding === 'utf-8') return Buffer.from(data.content, 'utf8');
  throw new RetryableError('GitHub gave a blob in an encoding that is not known');
}
