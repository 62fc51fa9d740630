import type { SpecRow } from '../../db/specs.ts';
import type { BranchRule } from '../../github/branches.ts';
import type { RefAnswer } from '../../github/refs.ts';
import type { Deps } from '../deps.ts';
import type { SpecSettings } from '../spec/start.ts';

/** Each problem is one sentence for the person who asked: what is wrong and what to do. */

/** A settings file that can't be read sets nothing, and work on wrong settings helps nobody. */
export function settingsProblems(spec: SpecRow): string[] {
  return (spec.settings as SpecSettings).problems.map(({ source, path, message }) => {
    const where =
      source === 'organization' ? "the organisation's `.github/specwright.yml`" : '`.github/specwright.yml`';
    return `In ${where}, ${path === '' ? 'the file' : `\`${path}\``} ${message}: correct it on the default branch.`;
  });
}

/** What the operator of this deployment has to provide. */
export function deploymentProblems(deps: Pick<Deps, 'sandboxes'>): string[] {
  const problems: string[] = [];
  if (deps.sandboxes.kind === 'none') {
    problems.push(
      `No sandbox can be started: ${deps.sandboxes.reason} The operator can mend it: ${deps.sandboxes.fix}`,
    );
  }
  return problems;
}

export function repositoryProblems(
  repository: { archived: boolean; disabled: boolean },
  at: { base: string; head: RefAnswer },
): string[] {
  if (repository.archived) return ['The repository is archived and takes no changes: unarchive it first.'];
  if (repository.disabled) return ['GitHub has disabled this repository: ask its owner or GitHub support.'];
  if (at.head.kind === 'empty')
    return ['The repository has no commit yet: push a first one, such as a README.'];
  if (at.head.kind === 'missing') {
    return [
      `The branch \`${at.base}\` does not exist: create it, or set \`base\` in \`.github/specwright.yml\`.`,
    ];
  }
  return [];
}

/** Rules under which the spec's branch could not be made or moved. */
export function ruleProblems(rules: readonly BranchRule[], branch: string): string[] {
  return rules.flatMap((rule) => {
    switch (rule.type) {
      case 'creation':
        return [
          `A rule forbids creating the branch \`${branch}\`: let the App bypass it, or exclude \`spec/**\`.`,
        ];
      case 'update':
        return [
          `A rule forbids updating the branch \`${branch}\`: let the App bypass it, or exclude \`spec/**\`.`,
        ];
      case 'branch_name_pattern':
        return nameProblem(rule.parameters, branch);
      default:
        return [];
    }
  });
}

/** Whether commits have to be signed: then GitHub signs them before the branch moves. */
export function needsSignatures(rules: readonly BranchRule[]): boolean {
  return rules.some(({ type }) => type === 'required_signatures');
}

function nameProblem(parameters: Readonly<Record<string, unknown>>, branch: string): string[] {
  const text = (key: string) => (typeof parameters[key] === 'string' ? parameters[key] : '');
  const fits = matches(branch, { operator: text('operator'), pattern: text('pattern') });
  if (fits !== (parameters.negate === true)) return [];
  return [`A rule allows only other names than \`${branch}\` for a branch: exclude \`spec/**\` from it.`];
}

/** The operators of GitHub's name patterns. A pattern that can't be read is left to GitHub to judge. */
function matches(name: string, { operator, pattern }: { operator: string; pattern: string }): boolean {
  if (operator === 'starts_with') return name.startsWith(pattern);
  if (operator === 'ends_with') return name.endsWith(pattern);
  if (operator === 'contains') return name.includes(pattern);
  try {
    return new RegExp(pattern, 'u').test(name);
  } catch {
    return true;
  }
}

const rank: Readonly<Record<string, number>> = { read: 1, write: 2, admin: 3 };

/** Permissions that the installation lacks. */
export function permissionProblems(
  granted: Readonly<Record<string, string>>,
  needed: Readonly<Record<string, string>>,
): string[] {
  return Object.entries(needed)
    .filter(([name, access]) => (rank[granted[name] ?? ''] ?? 0) < rank[access]!)
    .map(
      ([name, access]) =>
        `The installation lacks the permission "${name.replaceAll('_', ' ')}: ${access}": an owner accepts it on the App's installation page.`,
    );
}
