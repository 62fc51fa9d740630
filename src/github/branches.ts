import type { GitHub, RepoRef } from './client.ts';
import { orExpected } from './errors.ts';
import { PAGE_SIZE, readPages } from './pages.ts';

export interface FoundBranch {
  readonly kind: 'found';
  readonly sha: string;
  readonly protected: boolean;
}

/** One rule of a ruleset that applies to a branch; `parameters` are GitHub's, by type. */
export interface BranchRule {
  readonly type: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** A branch's head and whether anything protects it. A renamed branch counts as missing under its old name. */
export async function readBranch(
  gh: GitHub,
  repo: RepoRef,
  branch: string,
): Promise<FoundBranch | { readonly kind: 'missing' }> {
  const asked = gh.call({ repo, profile: 'reader' }, 'GET /repos/{owner}/{repo}/branches/{branch}', {
    branch,
  });
  const answer = await orExpected(asked, (error) => (error.kind === 'not_found' ? 'missing' : undefined));
  if (answer === 'missing' || answer.data.name !== branch) return { kind: 'missing' };
  return { kind: 'found', sha: answer.data.commit.sha, protected: answer.data.protected };
}

/**
 * The rules that hold for a branch of this name, whether it exists or not. None where GitHub has no rulesets
 * (an older server, a private repository on a free plan): a refusal then shows when the ref is written.
 */
export async function readBranchRules(
  gh: GitHub,
  repo: RepoRef,
  branch: string,
): Promise<readonly BranchRule[]> {
  const read = async (page: number): Promise<readonly BranchRule[]> => {
    const asked = gh.call({ repo, profile: 'reader' }, 'GET /repos/{owner}/{repo}/rules/branches/{branch}', {
      branch,
      per_page: PAGE_SIZE,
      page,
    });
    const answer = await orExpected(asked, (error) => {
      const unknownHere = error.kind === 'not_found' || /upgrade to github/i.test(error.detail);
      return unknownHere ? 'none' : undefined;
    });
    return answer === 'none' ? [] : answer.data.map(toRule);
  };
  return (await readPages(10, read)).items;
}

function toRule(rule: object): BranchRule {
  const { type, parameters } = rule as { type?: unknown; parameters?: Record<string, unknown> };
  return { type: String(type), parameters: parameters ?? {} };
}
