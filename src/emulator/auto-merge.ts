import type { Doing } from './issue-actions.ts';
import { emitIssue } from './issue-actions.ts';
import { blockOf, isBehind } from './merge-state.ts';
import { mergePull } from './pull-actions.ts';
import { figuresOf } from './pull-figures.ts';
import type { AutoMerge } from './review-state.ts';
import { accountOf, type PullIssue } from './state.ts';

/** Whether nothing stands against the merge of an open pull request. */
export async function isReadyToMerge(doing: Doing, issue: PullIssue): Promise<boolean> {
  if (issue.state !== 'open' || issue.pull.draft) return false;
  if (blockOf(doing.world, doing.repo, issue) !== null || (await isBehind(doing.repo, issue))) return false;
  return (await figuresOf(doing.repo, issue)).mergeable;
}

/** Merges a pull request whose auto-merge is on and against which nothing stands any more; nothing otherwise. */
export async function settleAutoMerge(doing: Doing, issue: PullIssue): Promise<void> {
  const { autoMerge } = issue.pull;
  if (!autoMerge || !(await isReadyToMerge(doing, issue))) return;
  const by = accountOf(doing.world, autoMerge.enabledById);
  await mergePull({ ...doing, by }, issue, autoMerge);
}

/** Turns auto-merge on (with who and how) or off (null), and tells so. */
export async function setAutoMerge(
  doing: Doing,
  issue: PullIssue,
  autoMerge: AutoMerge | null,
): Promise<void> {
  issue.pull.autoMerge = autoMerge;
  const fields = autoMerge ? {} : { reason: 'Manually disabled by user' };
  const action = autoMerge ? 'auto_merge_enabled' : 'auto_merge_disabled';
  await emitIssue(doing, issue, { action, fields });
}
