import { describe, expect, test } from '@jest/globals';
import type { GitHub, RepoRef } from '../../src/github/client.ts';
import type { ComparedFile } from '../../src/github/commits.ts';
import { type Pair, pairsOf, type TreeEntry } from '../../src/services/branches/diff-gate.ts';
import { readChange } from '../../src/services/branches/read-change.ts';
import { shownDiff } from '../../src/services/branches/report.ts';

const REPO: RepoRef = { installationId: 7, repositoryId: 42, owner: 'acme', name: 'shop' };

/** A tree whose blobs are named by their texts. */
function tree(files: Readonly<Record<string, string>>, size = 10): TreeEntry[] {
  return Object.entries(files).map(([path, text]) => ({
    path,
    mode: '100644',
    type: 'blob',
    sha: text,
    size,
  }));
}

function file(path: string, over: Partial<ComparedFile> = {}): ComparedFile {
  return { path, sha: null, previousPath: null, additions: 0, deletions: 0, patch: null, ...over };
}

async function read(base: TreeEntry[], head: TreeEntry[], files: ComparedFile[] = []) {
  const asked: string[] = [];
  const github = {
    call: async (_target: unknown, _route: string, { file_sha: sha }: { file_sha: string }) => {
      asked.push(sha);
      return { data: { encoding: 'base64', content: Buffer.from(sha).toString('base64') } };
    },
  } as unknown as GitHub;
  const pairs: Pair[] = pairsOf(base, head);
  const change = await readChange({ github }, REPO, { pairs, base, files });
  return { change, texts: change.kind === 'read' ? change.texts : [], asked };
}

describe('the lines of a change', () => {
  const patch = '@@ -1 +1 @@\n-old\n+new';

  test('are taken from the comparison where it has them', async () => {
    const files = [file('a', { sha: 'new', additions: 1, deletions: 1, patch })];
    const { texts, asked } = await read(tree({ a: 'old' }), tree({ a: 'new' }), files);
    expect(texts).toEqual([
      {
        path: 'a',
        change: 'modified',
        movedFrom: null,
        added: [{ number: 1, text: 'new' }],
        removed: [{ number: 1, text: 'old' }],
      },
    ]);
    expect(asked).toEqual([]);
  });

  test.each([
    ['has no patch', { sha: 'new' }],
    ['has a part of it only', { sha: 'new', additions: 5, deletions: 1, patch }],
    ['is of another blob', { sha: 'other', additions: 1, deletions: 1, patch }],
  ])('are read from the blobs where the comparison %s', async (_what, over) => {
    const { texts, asked } = await read(tree({ a: 'old' }), tree({ a: 'new' }), [file('a', over)]);
    expect(texts).toMatchObject([{ path: 'a', added: [{ text: 'new' }], removed: [{ text: 'old' }] }]);
    expect(asked.toSorted()).toEqual(['new', 'old']);
  });

  test('are read from the blobs of files that the comparison does not list', async () => {
    const { texts, asked } = await read([], tree({ a: 'new' }));
    expect(texts).toMatchObject([{ change: 'added', added: [{ number: 1, text: 'new' }] }]);
    expect(asked).toEqual(['new']);
  });

  test('are none of files that were only moved or copied; a move is told of once', async () => {
    const moved = await read(tree({ old: 'x', b: 'y' }), tree({ new: 'x', b: 'y', copy: 'y' }));
    expect(moved.texts).toEqual([
      { path: 'copy', change: 'added', movedFrom: null, added: [], removed: [] },
      { path: 'new', change: 'added', movedFrom: 'old', added: [], removed: [] },
    ]);
    expect(moved.asked).toEqual([]);
  });

  test('of a file that was moved and edited are those of the edit', async () => {
    const files = [file('new', { sha: 'z', previousPath: 'old', additions: 1, deletions: 1, patch })];
    const { texts } = await read(tree({ old: 'x' }), tree({ new: 'z' }), files);
    expect(texts).toMatchObject([{ path: 'new', movedFrom: 'old', added: [{ text: 'new' }] }]);
  });

  test('are not read of more than can be searched: then the change is refused', async () => {
    const many = tree(Object.fromEntries(Array.from({ length: 501 }, (_, n) => [`f${n}`, `t${n}`])));
    const { change, asked } = await read([], many);
    expect(change).toMatchObject({ kind: 'too_much', reason: expect.stringContaining('501 changed files') });
    expect(asked).toEqual([]);
    expect((await read([], tree({ a: 'x' }, 200 * 1024 ** 2))).change.kind).toBe('too_much');
  });
});

describe('the shown difference', () => {
  test('names each file, says where there is nothing to show, and is cut', () => {
    const files = [file('a', { patch: '@@ -1 +1 @@\n-x\n+y' }), file('b', { previousPath: 'c' })];
    expect(shownDiff(files)).toBe(
      '=== a\n@@ -1 +1 @@\n-x\n+y\n=== c → b\n(no difference to show: binary, very large, or only moved)',
    );
    const long = shownDiff([file('a', { patch: 'x'.repeat(80_000) }), file('b'), file('c')]);
    expect(long.length).toBeLessThan(50_200);
    expect(long.endsWith('=== cut here; 2 more files follow')).toBe(true);
  });
});
