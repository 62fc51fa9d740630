import { describe, expect, test } from '@jest/globals';
import type { SpecRow } from '../../src/db/specs.ts';
import type { BranchRule } from '../../src/github/branches.ts';
import { PERMISSIONS } from '../../src/github/tokens.ts';
import {
  deploymentProblems,
  permissionProblems,
  repositoryProblems,
  ruleProblems,
  settingsProblems,
} from '../../src/services/preflight/problems.ts';

const branch = 'spec/0a1b2c3d-greet';
const rule = (type: string, parameters: Record<string, unknown> = {}): BranchRule => ({ type, parameters });

describe('rules for the branch', () => {
  test.each([
    ['creation', `A rule forbids creating the branch \`${branch}\``],
    ['update', `A rule forbids updating the branch \`${branch}\``],
  ])('%s stands in the way', (type, sentence) => {
    const [problem, ...more] = ruleProblems([rule(type)], branch);
    expect(problem).toContain(sentence);
    expect(more).toEqual([]);
  });

  test.each(['pull_request', 'non_fast_forward', 'deletion', 'required_status_checks', 'new_rule'])(
    '%s does not',
    (type) => {
      expect(ruleProblems([rule(type)], branch)).toEqual([]);
    },
  );

  test.each([
    ['starts_with', 'spec/', true],
    ['starts_with', 'feature/', false],
    ['ends_with', '-greet', true],
    ['contains', '0a1b', true],
    ['contains', 'jira', false],
    ['regex', '^spec/[0-9a-f]{8}', true],
    ['regex', '^[A-Z]+-\\d+', false],
    // What can't be read here is left to GitHub.
    ['regex', '(?i)[', true],
  ])('a name pattern "%s %s" fits: %s', (operator, pattern, fits) => {
    const problems = (negate: boolean) =>
      ruleProblems([rule('branch_name_pattern', { operator, pattern, negate })], branch);
    expect(problems(false)).toHaveLength(fits ? 0 : 1);
    if (pattern !== '(?i)[') expect(problems(true)).toHaveLength(fits ? 1 : 0);
  });
});

describe('the repository', () => {
  const head = { kind: 'found', sha: 'a' } as const;
  const fine = { archived: false, disabled: false };

  test('that is fine has no problem', () => {
    expect(repositoryProblems(fine, { base: 'main', head })).toEqual([]);
  });

  test.each([
    ['archived', { ...fine, archived: true }, head, 'unarchive it first'],
    ['disabled', { ...fine, disabled: true }, head, 'ask its owner'],
    ['empty', fine, { kind: 'empty' } as const, 'push a first one'],
    ['without the base', fine, { kind: 'missing' } as const, '`main` does not exist'],
  ])('%s has one, which says what to do', (_name, repository, found, words) => {
    const problems = repositoryProblems(repository, { base: 'main', head: found });
    expect(problems).toEqual([expect.stringContaining(words)]);
  });
});

test('each invalid setting is named with its file', () => {
  const problem = { source: 'repository', path: 'limits.tasks', message: 'may be at most 200' };
  const spec = { settings: { problems: [problem, { ...problem, source: 'organization', path: '' }] } };
  expect(settingsProblems(spec as unknown as SpecRow)).toEqual([
    'In `.github/specwright.yml`, `limits.tasks` may be at most 200: correct it on the default branch.',
    "In the organisation's `.github/specwright.yml`, the file may be at most 200: correct it on the default branch.",
  ]);
});

test('an operator is told of sandboxes that cannot be isolated', () => {
  const none = { kind: 'none', reason: 'No user namespaces.', fix: 'Enable them.' } as const;
  expect(deploymentProblems({ sandboxes: none })).toEqual([
    'No sandbox can be started: No user namespaces. The operator can mend it: Enable them.',
  ]);
});

test('permissions that are missing, or too weak, are named one by one', () => {
  const granted = { metadata: 'read', contents: 'read', issues: 'write' };
  expect(permissionProblems(granted, PERMISSIONS.control)).toEqual([
    expect.stringContaining('"contents: write"'),
    expect.stringContaining('"pull requests: write"'),
  ]);
  expect(permissionProblems(granted, PERMISSIONS.issues)).toEqual([]);
  expect(
    permissionProblems({ ...granted, contents: 'admin', pull_requests: 'write' }, PERMISSIONS.control),
  ).toEqual([]);
});
