import { listCommits } from './git/history.ts';
import { mergeTree, rebase } from './git/merge.ts';
import type { Person } from './git/objects.ts';
import { updateRef } from './git/refs.ts';
import { addIssue, closedBy, closeIssue, type Doing, emitIssue, isPull } from './issue-actions.ts';
import { noreply } from './payloads/commit.ts';
import { pushedCommits } from './payloads/push.ts';
import { keepPullRef, markMerged, refChanged } from './ref-changes.ts';
import { refusalOf } from './rules.ts';
import { accountOf, fullName, nextId, now, type Pull, type PullIssue } from './state.ts';

export interface NewPull {
  readonly title: string;
  readonly body: string | null;
  readonly draft: boolean;
  readonly appId: number | null;
  readonly head: { ref: string; sha: string };
  readonly base: { ref: string; sha: string };
}

/** Opens a pull request and sends `pull_request.opened`. */
export async function openPull(doing: Doing, fresh: NewPull): Promise<PullIssue> {
  const pull: Pull = {
    id: nextId(doing.world),
    headRef: fresh.head.ref,
    headSha: fresh.head.sha,
    baseRef: fresh.base.ref,
    baseSha: fresh.base.sha,
    draft: fresh.draft,
    mergedAt: null,
    mergedById: null,
    mergeSha: null,
    figures: null,
    mergeAsked: null,
    reviews: [],
    threads: [],
    autoMerge: null,
  };
  const issue = addIssue(doing, { title: fresh.title, body: fresh.body, appId: fresh.appId, pull });
  if (!isPull(issue)) throw new Error('a pull request without its pull part');
  await keepPullRef(doing.repo, issue);
  await emitIssue(doing, issue, { action: 'opened' });
  return issue;
}

export type MergeMethod = 'merge' | 'squash' | 'rebase';

export interface MergeRequest {
  readonly method: MergeMethod;
  readonly title?: string | undefined;
  readonly message?: string | undefined;
}

export type MergeResult =
  | { merged: true; sha: string }
  | { merged: false; why: 'conflict' | 'rules' | 'moved'; message: string };

/** Merges a pull request for real, closes the issues it names, and sends the webhooks in the order the hooks ask for. */
export async function mergePull(doing: Doing, issue: PullIssue, request: MergeRequest): Promise<MergeResult> {
  const { repo } = doing;
  const { baseSha, baseRef } = issue.pull;
  const sha = await mergedTip(doing, issue, request);
  if (sha === null) return { merged: false, why: 'conflict', message: 'Pull Request is not mergeable' };
  const change = { ref: `refs/heads/${baseRef}`, before: baseSha, after: sha };
  const refusal = await refusalOf(repo, change, true);
  if (refusal)
    return { merged: false, why: 'rules', message: `Repository rule violations found\n\n${refusal}\n\n` };
  const moved = await updateRef(repo.git.dir, change);
  if (!moved.ok)
    return {
      merged: false,
      why: 'moved',
      message: 'Base branch was modified. Review and try the merge again.',
    };
  markMerged(doing, issue, sha);
  const issues = baseRef === repo.defaultBranch ? await issuesOfMerge(doing, issue, change) : [];
  await refChanged(doing, change, { closesIssues: false });
  const closePull = () => emitIssue(doing, issue, { action: 'closed' });
  if (doing.world.hooks.mergeOrder === 'pull_request_first') await closePull();
  for (const one of issues) await closeIssue(doing, one);
  if (doing.world.hooks.mergeOrder === 'issues_first') await closePull();
  return { merged: true, sha };
}

async function issuesOfMerge(
  doing: Doing,
  issue: PullIssue,
  change: { ref: string; before: string; after: string },
) {
  const commits = await pushedCommits(doing.repo, change);
  return closedBy(doing, [issue.body ?? '', ...commits.map((commit) => commit.message)].join('\n'));
}

function personOf(doing: Doing, accountId: number): Person {
  const account = accountOf(doing.world, accountId);
  return { name: account.login, email: noreply(account), date: now(doing.world) };
}

/** The commit that the base branch will have: a merge commit, one squashed commit, or the replayed commits' last. */
async function mergedTip(doing: Doing, issue: PullIssue, request: MergeRequest): Promise<string | null> {
  const { repo } = doing;
  const { baseSha, headSha } = issue.pull;
  const merger = personOf(doing, doing.by.id);
  if (request.method === 'rebase') return rebase(repo.git, { base: baseSha, head: headSha }, merger);
  const tree = await mergeTree(repo.git.dir, baseSha, headSha);
  if (tree === null) return null;
  if (request.method === 'squash') {
    const author = personOf(doing, issue.userId);
    return repo.git.writeCommit({
      tree,
      parents: [baseSha],
      author,
      committer: merger,
      message: await squashMessage(doing, issue, request),
    });
  }
  const owner = fullName(doing.world, repo).split('/')[0];
  const title = request.title ?? `Merge pull request #${issue.number} from ${owner}/${issue.pull.headRef}`;
  const message = `${title}\n\n${request.message ?? issue.title}`;
  return repo.git.writeCommit({
    tree,
    parents: [baseSha, headSha],
    author: merger,
    committer: merger,
    message,
  });
}

async function squashMessage(doing: Doing, issue: PullIssue, request: MergeRequest): Promise<string> {
  const { repo } = doing;
  const shas = await listCommits(repo.git.dir, { head: issue.pull.headSha, base: issue.pull.baseSha });
  const commits = (await Promise.all(shas.map((sha) => repo.git.commit(sha)))).filter(
    (commit) => commit !== null,
  );
  const only = commits.length === 1 ? commits[0] : undefined;
  const [first = '', ...rest] = (only?.message ?? '').split('\n');
  const title = request.title ?? `${only ? first : issue.title} (#${issue.number})`;
  const message =
    request.message ??
    (only ? rest.join('\n').trim() : commits.map((commit) => `* ${commit.message}`).join('\n\n'));
  return message === '' ? title : `${title}\n\n${message}`;
}
