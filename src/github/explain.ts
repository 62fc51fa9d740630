import { messageOf } from '../errors.ts';
import { GitHubError, type GitHubErrorKind } from './errors.ts';

const SAID: Readonly<Partial<Record<GitHubErrorKind, string>>> = {
  timeout: 'GitHub did not answer in time',
  unavailable: 'GitHub was in trouble',
  rate_limited: 'GitHub’s limit of calls was reached',
  secondary_limited: 'GitHub asked for fewer calls',
  unauthorized: 'GitHub did not take the App’s credentials',
  forbidden: 'GitHub did not allow it',
  suspended: 'the installation is suspended',
  archived: 'the repository is archived',
  blocked: 'GitHub has blocked access to it',
  not_found: 'GitHub did not find it, or the App may not see it',
  gone: 'it is no longer there',
  moved: 'it has moved elsewhere',
};

/** A failed call in words for the person who has to act: what GitHub answered to what, and what it said. */
export function explain(error: unknown): string {
  if (!(error instanceof GitHubError)) return messageOf(error);
  const said = SAID[error.kind] ?? 'GitHub refused it';
  const status = error.status === undefined ? 'no answer' : `status ${error.status}`;
  const words = error.detail === '' ? '' : `: ${error.detail}`;
  return `${said} (${status} to ${error.callSite})${words}`;
}

const DEFINITE: readonly GitHubErrorKind[] = [
  'forbidden',
  'archived',
  'blocked',
  'not_found',
  'gone',
  'moved',
  'conflict',
  'exists',
  'invalid',
];

/** True when GitHub looked at a call and said no, which time alone seldom changes. */
export function isDefinite(error: unknown): boolean {
  return error instanceof GitHubError && DEFINITE.includes(error.kind);
}

/** True when a write may have happened although nobody heard that it did. */
export function isUnclear(error: unknown): boolean {
  return error instanceof GitHubError && error.ambiguous;
}
