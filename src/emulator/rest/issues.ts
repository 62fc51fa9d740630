import { atLeast, roleOf } from '../access.ts';
import {
  addIssue,
  attachLabels,
  closeIssue,
  type Doing,
  detachLabel,
  editIssue,
  emitIssue,
  reopenIssue,
} from '../issue-actions.ts';
import { fullIssueJson, issueJson } from '../payloads/issue.ts';
import { created, notFound, ok, problem, type Reply } from '../reply.ts';
import type { Issue, Role } from '../state.ts';
import { optionalChoice, optionalText, optionalTexts, requiredText } from './body.ts';
import { actingAccount, actingAppId, type RepoCall, type Route, repoRoute } from './call.ts';
import { paged } from './paging.ts';

/** What a write needs to know: where, and who does it. */
export function doing(call: RepoCall): Doing {
  return { world: call.world, repo: call.repo, by: actingAccount(call) };
}

/** The issue or pull request of the path; 404 for none. */
export function issueOf(call: RepoCall): Issue {
  const issue = call.repo.issues.get(Number(call.params.issue_number));
  if (!issue) throw notFound();
  return issue;
}

/** Whether the actor may act as somebody with this role; installations have been checked by their permission. */
export function mayAs(call: RepoCall, role: Role): boolean {
  return call.actor.kind !== 'user' || atLeast(roleOf(call.repo, call.actor.account), role);
}

async function open(call: RepoCall): Promise<Reply> {
  const title = requiredText(call.body, 'title');
  const body = optionalText(call.body, 'body') ?? null;
  const labels = optionalTexts(call.body, 'labels') ?? [];
  const issue = addIssue(doing(call), { title, body, appId: actingAppId(call), pull: null });
  await emitIssue(doing(call), issue, { action: 'opened' });
  if (mayAs(call, 'triage')) await attachLabels(doing(call), issue, labels); // GitHub drops the labels of others in silence
  return created(fullIssueJson(call.world, call.repo, issue));
}

function matching(call: RepoCall): Issue[] {
  const state = call.query.get('state') ?? 'open';
  const labels = (call.query.get('labels') ?? '').split(',').filter(Boolean);
  const since = Date.parse(call.query.get('since') ?? '') || 0;
  const creator = call.query.get('creator')?.toLowerCase();
  const has = (issue: Issue, name: string) =>
    issue.labels.some((label) => label.name.toLowerCase() === name.toLowerCase());
  const author = (issue: Issue) => call.world.accounts.get(issue.userId)?.login.toLowerCase();
  const found = [...call.repo.issues.values()]
    .filter((issue) => state === 'all' || issue.state === state)
    .filter((issue) => labels.every((name) => has(issue, name)))
    .filter((issue) => issue.updatedAt.getTime() >= since && (!creator || author(issue) === creator));
  return call.query.get('direction') === 'asc' ? found : found.reverse();
}

async function edit(call: RepoCall): Promise<Reply> {
  const issue = issueOf(call);
  const title = optionalText(call.body, 'title') ?? undefined;
  const body = optionalText(call.body, 'body');
  const state = optionalChoice(call.body, 'state', ['open', 'closed']);
  const reason = optionalChoice(call.body, 'state_reason', [
    'completed',
    'not_planned',
    'duplicate',
    'reopened',
  ]);
  const labels = optionalTexts(call.body, 'labels');
  const author = call.actor.kind === 'user' && call.actor.account.id === issue.userId;
  if (!author && !mayAs(call, 'triage')) throw problem(403, 'Must have admin rights to Repository.');
  if (!author && (title !== undefined || body !== undefined) && !mayAs(call, 'write')) {
    throw problem(403, 'Must have admin rights to Repository.');
  }
  await editIssue(doing(call), issue, {
    ...(title === undefined ? {} : { title }),
    ...(body === undefined ? {} : { body }),
  });
  if (labels) await replaceLabels(call, issue, labels);
  if (state === 'closed') await closeIssue(doing(call), issue, reason ?? null);
  if (state === 'open') await reopenIssue(doing(call), issue);
  return ok(fullIssueJson(call.world, call.repo, issue));
}

/** Makes an issue carry exactly these labels. */
export async function replaceLabels(call: RepoCall, issue: Issue, names: readonly string[]): Promise<void> {
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  for (const label of issue.labels) {
    if (!wanted.has(label.name.toLowerCase())) await detachLabel(doing(call), issue, label.name);
  }
  await attachLabels(doing(call), issue, names);
}

/** Issues. */
export const issueRoutes: readonly Route[] = [
  repoRoute('POST /repos/{owner}/{repo}/issues', 'issues:write@read', open),
  repoRoute('GET /repos/{owner}/{repo}/issues', 'issues:read', (call) => {
    const path = `/repos/${call.params.owner}/${call.params.repo}/issues`;
    return paged(call, matching(call), { path, show: (issue) => issueJson(call.world, call.repo, issue) });
  }),
  repoRoute('GET /repos/{owner}/{repo}/issues/{issue_number}', 'issue:read', (call) =>
    ok(fullIssueJson(call.world, call.repo, issueOf(call))),
  ),
  repoRoute('PATCH /repos/{owner}/{repo}/issues/{issue_number}', 'issue:write@read', edit),
];
