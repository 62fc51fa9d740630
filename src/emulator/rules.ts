import { isAncestor, listCommits } from './git/history.ts';
import { ZERO } from './git/refs.ts';
import type { Repository, Rule, World } from './state.ts';

function glob(pattern: string): RegExp {
  const source = pattern
    .split('**')
    .map((part) =>
      part
        .split('*')
        .map((text) => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
        .join('[^/]*'),
    )
    .join('.*');
  return new RegExp(`^${source}$`);
}

function appliesTo(rule: Rule, repo: Repository, branch: string): boolean {
  if (!rule.branches) return true;
  return rule.branches.some((pattern) => {
    if (pattern === '~ALL') return true;
    return pattern === '~DEFAULT_BRANCH' ? branch === repo.defaultBranch : glob(pattern).test(branch);
  });
}

/** The rules for a branch that need not exist. */
export function rulesFor(repo: Repository, branch: string): Rule[] {
  return repo.rules.filter((rule) => appliesTo(rule, repo, branch));
}

function patternOf(rule: Rule): string {
  const pattern = rule.parameters?.pattern;
  return typeof pattern === 'string' ? pattern : '';
}

function nameFits(rule: Rule, branch: string): boolean {
  const { operator, negate } = rule.parameters ?? {};
  const text = patternOf(rule);
  const tests: Record<string, () => boolean> = {
    starts_with: () => branch.startsWith(text),
    ends_with: () => branch.endsWith(text),
    contains: () => branch.includes(text),
    regex: () => new RegExp(text).test(branch),
  };
  const fits = (tests[String(operator)] ?? (() => true))();
  return negate === true ? !fits : fits;
}

export interface BranchChange {
  readonly ref: string;
  readonly before: string;
  readonly after: string;
}

/**
 * Why the repository's rules refuse a change of a branch; null when they do not. Enforced: creation, update, deletion,
 * non_fast_forward, branch_name_pattern, pull_request and required_signatures (of commits that the default branch has
 * not); other types are only told. A merge passes `update` and `pull_request`.
 */
export async function refusalOf(
  repo: Repository,
  change: BranchChange,
  merging = false,
): Promise<string | null> {
  const branch = /^refs\/heads\/(.+)$/.exec(change.ref)?.[1];
  if (branch === undefined) return null;
  const creates = change.before === ZERO;
  const deletes = change.after === ZERO;
  for (const rule of rulesFor(repo, branch)) {
    if (rule.type === 'creation' && creates) return 'Cannot create ref due to creations being restricted.';
    if (rule.type === 'deletion' && deletes) return 'Cannot delete this branch';
    if (rule.type === 'branch_name_pattern' && creates && !nameFits(rule, branch)) {
      return `Branch name must ${rule.parameters?.negate ? 'not ' : ''}match a given pattern: ${patternOf(rule)}`;
    }
    if (rule.type === 'required_signatures' && !deletes && !(await allSigned(repo, change))) {
      return 'Commits must have verified signatures.';
    }
    if (creates || deletes) continue;
    if (rule.type === 'update' && !merging) return 'Cannot update this protected ref.';
    if (rule.type === 'pull_request' && !merging) return 'Changes must be made through a pull request.';
    if (rule.type === 'non_fast_forward' && !(await isAncestor(repo.git.dir, change.before, change.after))) {
      return 'Cannot force-push to this branch';
    }
  }
  return null;
}

async function allSigned(repo: Repository, change: BranchChange): Promise<boolean> {
  const base = change.before === ZERO ? `refs/heads/${repo.defaultBranch}` : change.before;
  const shas = await listCommits(repo.git.dir, { head: change.after, base });
  return shas.every((sha) => repo.signedCommits.has(sha));
}

/** A rule as the REST API shows it. */
export function ruleJson(world: World, repo: Repository, rule: Rule): Record<string, unknown> {
  const { branches: _branches, ...shown } = rule;
  const owner = world.accounts.get(repo.ownerId)?.login;
  return {
    ruleset_source_type: 'Repository',
    ruleset_source: `${owner}/${repo.name}`,
    ruleset_id: 1,
    ...shown,
  };
}
