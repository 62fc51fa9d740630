import { changedFiles } from './git/diff.ts';
import { aheadBehind, mergeBase } from './git/history.ts';
import { mergeTree } from './git/merge.ts';
import type { PullFigures, PullIssue, Repository } from './state.ts';

/** What git says about a pull request now: conflicts, commits and changed lines. */
export async function figuresOf(repo: Repository, issue: PullIssue): Promise<PullFigures> {
  const { baseSha, headSha } = issue.pull;
  const key = `${baseSha}...${headSha}`;
  if (issue.pull.figures?.key === key) return issue.pull.figures;
  const dir = repo.git.dir;
  const base = (await mergeBase(dir, baseSha, headSha)) ?? baseSha;
  const [tree, counts, files] = await Promise.all([
    mergeTree(dir, baseSha, headSha),
    aheadBehind(dir, baseSha, headSha),
    changedFiles(dir, base, headSha),
  ]);
  const figures = {
    key,
    mergeable: tree !== null,
    commits: counts.ahead,
    additions: files.reduce((sum, file) => sum + file.additions, 0),
    deletions: files.reduce((sum, file) => sum + file.deletions, 0),
    changedFiles: files.length,
  };
  issue.pull.figures = figures;
  return figures;
}
