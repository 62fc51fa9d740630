// Race ledger
// - two writes to one repository: REST writes and pushes take turns (`serially`), so a change is told before the next begins.
// - a ref that moved since it was read: git compares the old value itself; the caller hears `moved`.
import { emit } from './events.ts';
import { isAncestor } from './git/history.ts';
import { type RefUpdate, updateRef, ZERO } from './git/refs.ts';
import { closedBy, closeIssue, type Doing, emitIssue, isPull, markClosed } from './issue-actions.ts';
import { pushedCommits, pushJson } from './payloads/push.ts';
import type { BranchChange } from './rules.ts';
import { now, type PullIssue, type Repository } from './state.ts';

/** Moves a ref and tells everybody what follows from it; the refusal of git otherwise. */
export async function changeRef(doing: Doing, change: BranchChange): Promise<RefUpdate> {
  const result = await updateRef(doing.repo.git.dir, change);
  if (result.ok) await refChanged(doing, change);
  return result;
}

/** What follows from a ref that has just moved: webhooks, and the pull requests and issues that it touches. Hidden refs follow nothing. */
export async function refChanged(
  doing: Doing,
  change: BranchChange,
  options: { closesIssues?: boolean } = {},
): Promise<void> {
  const [, kind, name] = /^refs\/(heads|tags)\/(.+)$/.exec(change.ref) ?? [];
  if (!kind || !name || change.before === change.after) return;
  doing.repo.pushedAt = now(doing.world);
  await announce(doing, change, { type: kind === 'heads' ? 'branch' : 'tag', name });
  if (kind === 'tags') return;
  await followPulls(doing, change, name);
  if ((options.closesIssues ?? true) && name === doing.repo.defaultBranch)
    await closeFromCommits(doing, change);
}

async function announce(
  doing: Doing,
  change: BranchChange,
  ref: { type: string; name: string },
): Promise<void> {
  const { world, repo, by } = doing;
  const common = { ref: ref.name, ref_type: ref.type, pusher_type: 'user' };
  if (change.before === ZERO) {
    const build = () => ({ ...common, master_branch: repo.defaultBranch, description: repo.description });
    await emit(world, repo, { event: 'create', sender: by, build });
  }
  if (change.after === ZERO) await emit(world, repo, { event: 'delete', sender: by, build: () => common });
  const build = () => pushJson(world, repo, { change, pusher: by });
  await emit(world, repo, { event: 'push', sender: by, build });
}

function openPulls(repo: Repository): PullIssue[] {
  return [...repo.issues.values()].filter(isPull).filter((issue) => issue.state === 'open');
}

async function followPulls(doing: Doing, change: BranchChange, branch: string): Promise<void> {
  for (const issue of openPulls(doing.repo)) {
    const { pull } = issue;
    if (pull.headRef !== branch && pull.baseRef !== branch) continue;
    if (change.after === ZERO) await closeIssue(doing, issue);
    else if (pull.headRef === branch) await synchronize(doing, issue, change);
    else await followBase(doing, issue, change);
  }
}

async function synchronize(doing: Doing, issue: PullIssue, change: BranchChange): Promise<void> {
  if (issue.pull.headSha === change.after) return;
  const before = issue.pull.headSha;
  issue.pull.headSha = change.after;
  issue.updatedAt = now(doing.world);
  await keepPullRef(doing.repo, issue);
  await emitIssue(doing, issue, { action: 'synchronize', fields: { before, after: change.after } });
}

/** A base that now has all commits of the head means that somebody merged it by hand. */
async function followBase(doing: Doing, issue: PullIssue, change: BranchChange): Promise<void> {
  const merged = await isAncestor(doing.repo.git.dir, issue.pull.headSha, change.after);
  if (!merged) {
    issue.pull.baseSha = change.after;
    return;
  }
  markMerged(doing, issue, change.after);
  await emitIssue(doing, issue, { action: 'closed' });
}

/** Marks a pull request merged and closed; sends nothing. */
export function markMerged(doing: Doing, issue: PullIssue, mergeSha: string): void {
  markClosed(doing, issue, null);
  issue.pull.mergedAt = now(doing.world);
  issue.pull.mergedById = doing.by.id;
  issue.pull.mergeSha = mergeSha;
}

async function closeFromCommits(doing: Doing, change: BranchChange): Promise<void> {
  if (change.before === ZERO) return;
  const commits = await pushedCommits(doing.repo, change);
  for (const issue of closedBy(doing, commits.map((commit) => commit.message).join('\n')))
    await closeIssue(doing, issue);
}

/** Keeps `refs/pull/{number}/head`, which outlives the branch. */
export async function keepPullRef(repo: Repository, issue: PullIssue): Promise<void> {
  const ref = `refs/pull/${issue.number}/head`;
  const before = (await repo.git.commit(ref))?.sha ?? ZERO;
  await updateRef(repo.git.dir, { ref, before, after: issue.pull.headSha });
}
