import { plainTitle } from '../markdown/markdown.ts';
import { hasConventionalPrefix } from '../spec/commit-message.ts';

const TITLE_LENGTH = 256;

const TYPES: readonly (readonly [RegExp, string])[] = [
  [/^(?:bug|bugs|bugfix|fix|defect|regression|hotfix)$/u, 'fix'],
  [/^(?:doc|docs|documentation)$/u, 'docs'],
  [/^(?:feature|feat|enhancement|feature request|new feature|story|user story)$/u, 'feat'],
  [/^(?:perf|performance)$/u, 'perf'],
  [/^(?:refactor|refactoring|tech debt|technical debt|cleanup)$/u, 'refactor'],
  [/^(?:test|tests|testing)$/u, 'test'],
  [/^(?:ci|continuous integration)$/u, 'ci'],
  [/^(?:build|dependencies)$/u, 'build'],
  [/^(?:chore|maintenance|housekeeping)$/u, 'chore'],
];

/**
 * The conventional type of a change: by the issue's type, else by the first label that says one, else `feat`.
 * Labels may have a scheme in front ("type: bug", "kind/bug").
 */
export function changeType(issue: {
  readonly type: string | null;
  readonly labels: readonly string[];
}): string {
  const names = [...(issue.type === null ? [] : [issue.type]), ...issue.labels];
  for (const name of names) {
    const word = name
      .toLowerCase()
      .replace(/^(?:type|kind|category|t|c)\s*[:/]\s*/u, '')
      .replace(/[-_\s]+/gu, ' ')
      .trim();
    const found = TYPES.find(([pattern]) => pattern.test(word));
    if (found) return found[1];
  }
  return 'feat';
}

/** `{type}: {title}` in at most 256 characters; a title that has a conventional prefix keeps its own. */
export function pullTitle(change: { readonly type: string; readonly title: string }): string {
  const plain = plainTitle(change.title, TITLE_LENGTH);
  if (hasConventionalPrefix(plain)) return plain;
  return plainTitle(`${change.type}: ${plain === '' ? 'update' : plain}`, TITLE_LENGTH);
}
