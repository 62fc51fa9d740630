import { git, tryGit } from './run.ts';

/** Whether `ancestor` is reached from `descendant` (a commit is its own ancestor). */
export async function isAncestor(dir: string, ancestor: string, descendant: string): Promise<boolean> {
  if (ancestor === descendant) return true;
  return (await tryGit(dir, ['merge-base', '--is-ancestor', ancestor, descendant])).code === 0;
}

/** The best common ancestor; null for unrelated histories. */
export async function mergeBase(dir: string, one: string, other: string): Promise<string | null> {
  const result = await tryGit(dir, ['merge-base', one, other]);
  return result.code === 0 ? result.stdout.toString().trim() : null;
}

/** How many commits each side has that the other has not. */
export async function aheadBehind(
  dir: string,
  base: string,
  head: string,
): Promise<{ ahead: number; behind: number }> {
  const text = await git(dir, ['rev-list', '--left-right', '--count', `${base}...${head}`]);
  const [behind = 0, ahead = 0] = text.trim().split(/\s+/).map(Number);
  return { ahead, behind };
}

/** Shas reached from `head` and not from `base` (oldest first), or the newest ones of `head` without a base (newest first). */
export async function listCommits(
  dir: string,
  range: { head: string; base?: string | undefined; path?: string | undefined; max?: number },
): Promise<string[]> {
  const args = ['rev-list', `--max-count=${range.max ?? 2048}`];
  if (range.base) args.push('--reverse', '--topo-order');
  args.push(range.head, ...(range.base ? [`^${range.base}`] : []), '--', ...(range.path ? [range.path] : []));
  return (await git(dir, args)).split('\n').filter(Boolean);
}
