import { atLeast, roleOf } from './access.ts';
import { isAncestor } from './git/history.ts';
import { figuresOf } from './pull-figures.ts';
import { rulesFor } from './rules.ts';
import { accountOf, type PullIssue, type Repository, type Rule, type World } from './state.ts';
import { instant } from './usage.ts';

/** What GitHub says of a pull request's merge; `mergeable` is null until it has been worked out. */
export interface MergeState {
  readonly mergeable: boolean | null;
  readonly state: 'unknown' | 'dirty' | 'draft' | 'blocked' | 'behind' | 'unstable' | 'clean';
}

/** Asks for the merge to be worked out, as reading a pull request does; its result is there some time after. */
export function askMergeability(world: World, issue: PullIssue): void {
  const key = keyOf(issue);
  if (issue.pull.mergeAsked?.key !== key) issue.pull.mergeAsked = { key, at: instant(world) };
}

function keyOf({ pull }: PullIssue): string {
  return `${pull.baseSha}...${pull.headSha}`;
}

function isKnown(world: World, issue: PullIssue): boolean {
  const wait = world.hooks.mergeableAfterMs;
  const asked = issue.pull.mergeAsked;
  return wait === null || (asked?.key === keyOf(issue) && instant(world) - asked.at >= wait);
}

/** What GitHub shows of a pull request's merge now: nothing before it was asked for, and nothing once it is closed. */
export async function shownMergeState(world: World, repo: Repository, issue: PullIssue): Promise<MergeState> {
  if (issue.state !== 'open' || !isKnown(world, issue)) return { mergeable: null, state: 'unknown' };
  const { mergeable } = await figuresOf(repo, issue);
  return { mergeable, state: mergeable ? await stateOf(world, repo, issue) : 'dirty' };
}

async function stateOf(world: World, repo: Repository, issue: PullIssue): Promise<MergeState['state']> {
  if (issue.pull.draft) return 'draft';
  if (blockOf(world, repo, issue) !== null) return 'blocked';
  if (await isBehind(repo, issue)) return 'behind';
  return verdictsOf(repo, issue.pull.headSha).every(({ good }) => good) ? 'clean' : 'unstable';
}

/** Whether a rule wants the head up to date with its base, and it is not. */
export async function isBehind(repo: Repository, issue: PullIssue): Promise<boolean> {
  const strict = rulesOf(repo, issue, 'required_status_checks').some(
    (rule) => rule.parameters?.strict_required_status_checks_policy === true,
  );
  return strict && !(await isAncestor(repo.git.dir, issue.pull.baseSha, issue.pull.headSha));
}

function rulesOf(repo: Repository, issue: PullIssue, type: string): Rule[] {
  return rulesFor(repo, issue.pull.baseRef).filter((rule) => rule.type === type);
}

/** Why the rules of the base do not let a pull request in yet, in GitHub's words; null when they do. */
export function blockOf(world: World, repo: Repository, issue: PullIssue): string | null {
  for (const rule of rulesOf(repo, issue, 'pull_request')) {
    const refusal = reviewBlock(world, { repo, issue, rule });
    if (refusal) return refusal;
  }
  const wanted = rulesOf(repo, issue, 'required_status_checks').flatMap(contextsOf);
  const verdicts = verdictsOf(repo, issue.pull.headSha);
  const missing = wanted.find((name) => !verdicts.some((one) => one.name === name && one.good));
  return missing === undefined ? null : `Required status check "${missing}" is expected.`;
}

function contextsOf(rule: Rule): string[] {
  const checks = rule.parameters?.required_status_checks;
  return Array.isArray(checks) ? checks.map((check: { context?: unknown }) => String(check.context)) : [];
}

function reviewBlock(
  world: World,
  { repo, issue, rule }: { repo: Repository; issue: PullIssue; rule: Rule },
): string | null {
  const wanted = Number(rule.parameters?.required_approving_review_count ?? 0);
  const verdicts = [...latestVerdicts(world, repo, issue).values()];
  if (wanted > 0 && verdicts.includes('CHANGES_REQUESTED')) return 'Changes have been requested.';
  if (verdicts.filter((verdict) => verdict === 'APPROVED').length < wanted) {
    return `At least ${wanted} approving review${wanted === 1 ? ' is' : 's are'} required by reviewers with write access.`;
  }
  const open = issue.pull.threads.some((thread) => thread.resolvedById === null);
  const resolves = rule.parameters?.required_review_thread_resolution === true;
  return resolves && open ? 'A conversation must be resolved before this pull request can be merged.' : null;
}

/** The last verdict of everybody who may write; a comment changes no verdict. */
function latestVerdicts(world: World, repo: Repository, issue: PullIssue): Map<number, string> {
  const verdicts = new Map<number, string>();
  for (const review of issue.pull.reviews) {
    if (review.state === 'COMMENTED' || review.userId === issue.userId) continue;
    const account = accountOf(world, review.userId);
    if (account.type === 'Bot' || atLeast(roleOf(repo, account), 'write'))
      verdicts.set(review.userId, review.state);
  }
  return verdicts;
}

/** GitHub's summary of the reviews: null where no rule asks for any and nobody gave a verdict. */
export function reviewDecision(
  world: World,
  repo: Repository,
  issue: PullIssue,
): 'APPROVED' | 'CHANGES_REQUESTED' | 'REVIEW_REQUIRED' | null {
  const wanted = rulesOf(repo, issue, 'pull_request').map((rule) =>
    Number(rule.parameters?.required_approving_review_count ?? 0),
  );
  const verdicts = [...latestVerdicts(world, repo, issue).values()];
  if (verdicts.includes('CHANGES_REQUESTED')) return 'CHANGES_REQUESTED';
  const approvals = verdicts.filter((verdict) => verdict === 'APPROVED').length;
  const most = Math.max(0, ...wanted);
  if (approvals >= Math.max(1, most)) return 'APPROVED';
  return most > 0 ? 'REVIEW_REQUIRED' : null;
}

/** The newest check run or status of each name on a commit; `good` when it lets a merge through. */
export function verdictsOf(repo: Repository, sha: string): { name: string; good: boolean }[] {
  const verdicts = new Map<string, boolean>();
  for (const run of repo.checkRuns) {
    if (run.headSha === sha)
      verdicts.set(run.name, ['success', 'neutral', 'skipped'].includes(run.conclusion ?? ''));
  }
  for (const status of repo.statuses) {
    if (status.sha === sha) verdicts.set(status.context, status.state === 'success');
  }
  return [...verdicts].map(([name, good]) => ({ name, good }));
}
