import { ROUTES } from '../../src/emulator/rest/routes.ts';
import { routeName } from '../../src/emulator/router.ts';
import { alwaysSent, subscriptions } from '../../src/permissions.ts';
import { namedRoutes } from '../../test/harness/github-calls.ts';
import type { Description } from './trim.ts';

// What the next features call: kept here so that they find it described when they begin.
const AHEAD = [
  'POST /repos/{owner}/{repo}/check-runs',
  'GET /repos/{owner}/{repo}/check-runs/{check_run_id}',
  'PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}',
  'GET /repos/{owner}/{repo}/check-runs/{check_run_id}/annotations',
  'GET /repos/{owner}/{repo}/commits/{ref}/check-runs',
  'GET /repos/{owner}/{repo}/commits/{ref}/check-suites',
  'GET /repos/{owner}/{repo}/commits/{ref}/status',
  'GET /repos/{owner}/{repo}/commits/{ref}/statuses',
  'POST /repos/{owner}/{repo}/statuses/{sha}',
  'GET /repos/{owner}/{repo}/actions/jobs/{job_id}/logs',
  'GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews',
  'POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews',
  'GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}',
  'PUT /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}',
  'POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}/events',
  'GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}/comments',
  'PUT /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}/dismissals',
  'GET /repos/{owner}/{repo}/pulls/{pull_number}/comments',
  'POST /repos/{owner}/{repo}/pulls/{pull_number}/comments',
  'GET /repos/{owner}/{repo}/pulls/comments',
  'GET /repos/{owner}/{repo}/pulls/comments/{comment_id}',
  'PATCH /repos/{owner}/{repo}/pulls/comments/{comment_id}',
  'DELETE /repos/{owner}/{repo}/pulls/comments/{comment_id}',
  'GET /repos/{owner}/{repo}/pulls/comments/{comment_id}/reactions',
  'DELETE /repos/{owner}/{repo}/pulls/comments/{comment_id}/reactions/{reaction_id}',
  'DELETE /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}',
  'DELETE /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers',
  'GET /repos/{owner}/{repo}/check-suites/{check_suite_id}',
  'GET /repos/{owner}/{repo}/check-suites/{check_suite_id}/check-runs',
  'POST /repos/{owner}/{repo}/check-runs/{check_run_id}/rerequest',
  'POST /repos/{owner}/{repo}/check-suites/{check_suite_id}/rerequest',
  'POST /repos/{owner}/{repo}/pulls/comments/{comment_id}/reactions',
  'POST /repos/{owner}/{repo}/pulls/{pull_number}/comments/{comment_id}/replies',
  'GET /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers',
  'POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers',
  'PUT /repos/{owner}/{repo}/pulls/{pull_number}/update-branch',
  'GET /orgs/{org}/teams/{team_slug}/memberships/{username}',
];

// Served without being in the description: the root of `contents` is its `{path}` left empty.
const ALIASES = new Set(['GET /repos/{owner}/{repo}/contents']);

// Sent by the emulator to Apps that ask for them, though ours does not.
const MORE_EVENTS = ['create', 'push'];

/** Every operation that has to be described: those of the client, of the emulator, and of what comes next. */
export function wantedRoutes(): string[] {
  const served = ROUTES.map(routeName).filter((route) => !ALIASES.has(route));
  return [...new Set([...namedRoutes(), ...served, ...AHEAD])].sort();
}

/** Every event that has to be described. */
export function wantedEvents(): string[] {
  const names = [...subscriptions, ...alwaysSent].map(({ name }) => name);
  return [...new Set([...names, ...MORE_EVENTS])].sort();
}

/** What is used and not described: `node scripts/trim-openapi.ts` makes the description anew. */
export function missingIn(description: Description): string[] {
  const events = new Set(Object.keys(description.webhooks).map((name) => name.split('.')[0]));
  return [
    ...wantedRoutes().filter((route) => !description.operations[route]),
    ...wantedEvents().filter((event) => !events.has(event)),
  ];
}
