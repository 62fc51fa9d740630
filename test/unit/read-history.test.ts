import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { GitHub, RepoRef } from '../../src/github/client.ts';
import type { ComparedCommit } from '../../src/github/commits.ts';
import { readSeries } from '../../src/services/branches/checks/patch-series.ts';
import { readHistory } from '../../src/services/branches/read-history.ts';
import { runGit } from '../harness/git-command.ts';

const REPO: RepoRef = { installationId: 7, repositoryId: 42, owner: 'acme', name: 'shop' };
const HOSTILE = [
  'feat: x',
  '',
  'diff --git a/ignored/x b/ignored/x',
  '--- /dev/null',
  '+++ b/ignored/x',
  '@@ -0,0 +1,9999 @@',
  '+as if it were added',
].join('\n');

let folder: string;
const shas: string[] = [];

async function git(...argv: string[]): Promise<string> {
  const { code, output } = await runGit(folder, ['-c', 'user.name=a', '-c', 'user.email=a@b', ...argv]);
  if (code !== 0) throw new Error(output);
  return output.trim();
}

async function commit(message: string, files: Record<string, string | Buffer>): Promise<void> {
  for (const [path, content] of Object.entries(files)) await writeFile(join(folder, path), content);
  await git('add', '.');
  await git('commit', '--quiet', '-m', message);
  shas.push(await git('rev-parse', 'HEAD'));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'series-'));
  await git('init', '--quiet', '.');
  await commit('base', { 'a.txt': 'one\ntwo\nthree\n' });
  await commit('feat: add', { 'a.txt': 'one\nTWO\nthree\n', 'b c.txt': '++ b/odd\n' });
  await commit(HOSTILE, { 'a.txt': 'one\ntwo\nthree\nfour\n' });
});
afterAll(() => rm(folder, { recursive: true }));

const series = async () => git('format-patch', '--stdout', `${shas[0]}..HEAD`);

/** The row of commits as the comparison lists it. */
function listed(): ComparedCommit[] {
  return shas.slice(1).map((sha, at) => ({ sha, message: '', tree: sha, parents: [shas[at]!] }));
}

function answers(text: string, files: object[] = []) {
  const asked: string[] = [];
  const github = {
    call: async (_target: unknown, _route: string, sent: Record<string, unknown>) => {
      asked.push(String(sent.basehead ?? sent.file_sha));
      if (sent.mediaType) return { data: text };
      if (sent.file_sha) return { data: { encoding: 'utf-8', content: 'whole' } };
      const data = { status: 'ahead', ahead_by: 1, behind_by: 0, commits: [], files };
      return { data: { ...data, merge_base_commit: { sha: shas[0] } } };
    },
  } as unknown as GitHub;
  return { asked, read: () => readHistory({ github }, REPO, { commits: listed(), base: [], head: [] }) };
}

describe('a series of patches', () => {
  test('tells what each commit adds, by commit, file and line', async () => {
    const [, one, two] = shas;
    const read = readSeries(await series());
    expect(read).toEqual(
      expect.arrayContaining([
        { commit: one, path: 'a.txt', isNew: false, lines: [{ number: 2, text: 'TWO' }] },
        { commit: one, path: 'b c.txt', isNew: true, lines: [{ number: 1, text: '++ b/odd' }] },
        {
          commit: two,
          path: 'a.txt',
          isNew: false,
          lines: [
            { number: 2, text: 'two' },
            { number: 4, text: 'four' },
          ],
        },
      ]),
    );
    // A message that looks like a difference is looked through as well, and nothing behind it is lost.
    expect(read).toHaveLength(4);
  });

  test('does not tell of binary files, so the commits are read one by one', async () => {
    expect(readSeries(`${await series()}\nBinary files a/x and b/x differ\n`)).toBeNull();
    expect(readSeries('GIT binary patch\nliteral 3\n')).toBeNull();
  });
});

describe('the commits on the way', () => {
  test('cost one question, and none where there is one commit only', async () => {
    const all = answers(await series());
    expect(await all.read()).toMatchObject({ kind: 'read', texts: { length: 4 } });
    expect(all.asked).toEqual([`${shas[0]}...${shas.at(-1)}`]);
    const github = { call: () => Promise.reject(new Error('asked')) } as unknown as GitHub;
    const single = { commits: listed().slice(0, 1), base: [], head: [] };
    expect(await readHistory({ github }, REPO, single)).toEqual({ kind: 'read', texts: [] });
  });

  test.each([
    ['is cut', (text: string) => text.slice(0, text.indexOf(`From ${shas[2]}`))],
    ['speaks of another commit', (text: string) => `${text}\nFrom ${'e'.repeat(40)} Mon\n+x\n`],
    ['has binary files', (text: string) => `${text}\nBinary files a/x and b/x differ\n`],
  ])('are read one by one where the text %s', async (_what, change) => {
    const shown = { filename: 'a', sha: 's1', additions: 1, deletions: 0, patch: '@@ -0,0 +1 @@\n+x' };
    const hidden = { filename: 'b', sha: 's2', additions: 0, deletions: 0 };
    const { asked, read } = answers(change(await series()), [shown, hidden]);
    const commit = shas[1];
    expect(await read()).toEqual({
      kind: 'read',
      texts: [
        { path: 'a', commit, isNew: true, lines: [{ number: 1, text: 'x' }] },
        { path: 'b', commit, isNew: true, lines: [{ number: 1, text: 'whole' }] },
      ],
    });
    expect(asked.slice(1)).toEqual([`${shas[0]}...${commit}`, 's2']);
  });

  test('that change more files than GitHub lists are not let pass', async () => {
    const many = Array.from({ length: 300 }, (_, n) => ({
      filename: `f${n}`,
      sha: `s${n}`,
      additions: 0,
      deletions: 0,
    }));
    expect(await answers('', many).read()).toMatchObject({ kind: 'too_much' });
  });
});
