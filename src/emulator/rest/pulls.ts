import { changedFiles } from '../git/diff.ts';
import { isAncestor, listCommits, mergeBase } from '../git/history.ts';
import { closeIssue, editIssue, isPull, reopenIssue } from '../issue-actions.ts';
import { askMergeability, blockOf, isBehind } from '../merge-state.ts';
import { commitJson, fileJson } from '../payloads/commit.ts';
import { fullPullJson, pullJson } from '../payloads/pull.ts';
import { mergePull, openPull } from '../pull-actions.ts';
import { created, invalid, noContent, notFound, ok, problem, type Reply } from '../reply.ts';
import { accountOf, fullName, type PullIssue, type Repository } from '../state.ts';
import { flag, optionalChoice, optionalText, requiredText } from './body.ts';
import { actingAppId, type RepoCall, type Route, repoRoute } from './call.ts';
import { doing, mayAs } from './issues.ts';
import { paged } from './paging.ts';

const PULLS = '/repos/{owner}/{repo}/pulls';
const ONE = `${PULLS}/{pull_number}`;

/** The pull request of the path; 404 for none. */
export function pullOf(call: RepoCall): PullIssue {
  const issue = call.repo.issues.get(Number(call.params.pull_number));
  if (!issue || !isPull(issue)) throw notFound();
  return issue;
}

function pullsOf(repo: Repository): PullIssue[] {
  return [...repo.issues.values()].filter(isPull);
}

function ownerLogin(call: RepoCall): string {
  return accountOf(call.world, call.repo.ownerId).login;
}

/** The branch that `branch` or `owner:branch` names; other owners' branches (forks) do not exist here. */
async function headIn(call: RepoCall): Promise<{ ref: string; sha: string }> {
  const [first = '', ...rest] = requiredText(call.body, 'head').split(':');
  const ref = rest.length > 0 ? rest.join(':') : first;
  const foreign = rest.length > 0 && first.toLowerCase() !== ownerLogin(call).toLowerCase();
  const commit = foreign ? null : await call.repo.git.commit(`refs/heads/${ref}`);
  if (!commit) throw invalid({ resource: 'PullRequest', field: 'head', code: 'invalid' });
  return { ref, sha: commit.sha };
}

async function baseIn(call: RepoCall, ref: string): Promise<{ ref: string; sha: string }> {
  const commit = await call.repo.git.commit(`refs/heads/${ref}`);
  if (!commit) throw invalid({ resource: 'PullRequest', field: 'base', code: 'invalid' });
  return { ref, sha: commit.sha };
}

function custom(message: string): Error {
  return invalid({ resource: 'PullRequest', code: 'custom', message });
}

async function open(call: RepoCall): Promise<Reply> {
  const title = requiredText(call.body, 'title');
  const base = await baseIn(call, requiredText(call.body, 'base'));
  const head = await headIn(call);
  const draft = flag(call.body, 'draft', false);
  const twin = pullsOf(call.repo).find(
    (one) => one.state === 'open' && one.pull.headRef === head.ref && one.pull.baseRef === base.ref,
  );
  if (twin) throw custom(`A pull request already exists for ${ownerLogin(call)}:${head.ref}.`);
  if (await isAncestor(call.repo.git.dir, head.sha, base.sha))
    throw custom(`No commits between ${base.ref} and ${head.ref}`);
  const body = optionalText(call.body, 'body') ?? null;
  const issue = await openPull(doing(call), { title, body, draft, head, base, appId: actingAppId(call) });
  return created(await fullPullJson(call.world, call.repo, issue));
}

function matching(call: RepoCall): PullIssue[] {
  const state = call.query.get('state') ?? 'open';
  const head = call.query.get('head')?.toLowerCase();
  const base = call.query.get('base');
  const label = (issue: PullIssue) => `${ownerLogin(call)}:${issue.pull.headRef}`.toLowerCase();
  const found = pullsOf(call.repo)
    .filter((issue) => state === 'all' || issue.state === state)
    .filter((issue) => !head?.includes(':') || label(issue) === head) // GitHub ignores a head without an owner
    .filter((issue) => !base || issue.pull.baseRef === base);
  return call.query.get('direction') === 'asc' ? found : found.reverse();
}

async function edit(call: RepoCall): Promise<Reply> {
  const issue = pullOf(call);
  const title = optionalText(call.body, 'title') ?? undefined;
  const body = optionalText(call.body, 'body');
  const state = optionalChoice(call.body, 'state', ['open', 'closed']);
  const author = call.actor.kind === 'user' && call.actor.account.id === issue.userId;
  if (!author && !mayAs(call, 'write')) throw problem(403, 'Must have admin rights to Repository.');
  const changes = await changeBase(call, issue);
  await editIssue(doing(call), issue, {
    ...(title === undefined ? {} : { title }),
    ...(body === undefined ? {} : { body }),
    changes,
  });
  if (state === 'closed') await closeIssue(doing(call), issue);
  if (state === 'open' && issue.state === 'closed') await reopen(call, issue);
  return ok(await fullPullJson(call.world, call.repo, issue));
}

async function changeBase(call: RepoCall, issue: PullIssue): Promise<Record<string, unknown>> {
  const ref = optionalText(call.body, 'base');
  if (!ref || ref === issue.pull.baseRef) return {};
  const base = await baseIn(call, ref);
  const from = { ref: { from: issue.pull.baseRef }, sha: { from: issue.pull.baseSha } };
  issue.pull.baseRef = base.ref;
  issue.pull.baseSha = base.sha;
  return { base: from };
}

async function reopen(call: RepoCall, issue: PullIssue): Promise<void> {
  if (issue.pull.mergedAt) throw custom('Pull request cannot be reopened, it was merged.');
  const head = await call.repo.git.commit(`refs/heads/${issue.pull.headRef}`);
  const base = await call.repo.git.commit(`refs/heads/${issue.pull.baseRef}`);
  if (!head || !base)
    throw custom(`state cannot be changed. The ${issue.pull.headRef} branch has been deleted.`);
  issue.pull.headSha = head.sha;
  issue.pull.baseSha = base.sha;
  await reopenIssue(doing(call), issue);
}

async function merge(call: RepoCall): Promise<Reply> {
  const issue = pullOf(call);
  const sha = optionalText(call.body, 'sha');
  const method = optionalChoice(call.body, 'merge_method', ['merge', 'squash', 'rebase']) ?? 'merge';
  if (issue.state === 'closed' || issue.pull.draft)
    throw problem(405, issue.pull.draft ? 'Pull Request is still a draft' : 'Pull Request is not mergeable');
  if (sha && sha !== issue.pull.headSha)
    throw problem(409, 'Head branch was modified. Review and try the merge again.');
  const blocked = blockOf(call.world, call.repo, issue);
  if (blocked) throw problem(405, blocked);
  if (await isBehind(call.repo, issue))
    throw problem(405, 'Head branch is out of date. Review and try the merge again.');
  const title = optionalText(call.body, 'commit_title') ?? undefined;
  const message = optionalText(call.body, 'commit_message') ?? undefined;
  const result = await mergePull(doing(call), issue, { method, title, message });
  if (!result.merged) throw problem(result.why === 'moved' ? 409 : 405, result.message);
  return ok({ sha: result.sha, merged: true, message: 'Pull Request successfully merged' });
}

async function commits(call: RepoCall): Promise<Reply> {
  const issue = pullOf(call);
  const { dir } = call.repo.git;
  // Once a pull request is closed its base stays as it was before the merge.
  const base = (await mergeBase(dir, issue.pull.baseSha, issue.pull.headSha)) ?? undefined;
  const shas = await listCommits(dir, { head: issue.pull.headSha, base, max: 250 });
  const path = `/repos/${fullName(call.world, call.repo)}/pulls/${issue.number}/commits`;
  return paged(call, shas, {
    path,
    show: async (sha) => {
      const commit = await call.repo.git.commit(sha);
      return commit && commitJson(call.world, call.repo, commit);
    },
  });
}

async function files(call: RepoCall): Promise<Reply> {
  const issue = pullOf(call);
  const { dir } = call.repo.git;
  const base = (await mergeBase(dir, issue.pull.baseSha, issue.pull.headSha)) ?? issue.pull.baseSha;
  const all = (await changedFiles(dir, base, issue.pull.headSha)).slice(0, 3000);
  const path = `/repos/${fullName(call.world, call.repo)}/pulls/${issue.number}/files`;
  return paged(call, all, {
    path,
    show: (file) => fileJson(call.world, call.repo, { file, ref: issue.pull.headSha }),
  });
}

/** Pull requests. */
export const pullRoutes: readonly Route[] = [
  repoRoute(`POST ${PULLS}`, 'pull_requests:write', open),
  repoRoute(`GET ${PULLS}`, 'pull_requests:read', (call) => {
    const path = `/repos/${fullName(call.world, call.repo)}/pulls`;
    return paged(call, matching(call), { path, show: (issue) => pullJson(call.world, call.repo, issue) });
  }),
  repoRoute(`GET ${ONE}`, 'pull_requests:read', async (call) => {
    const issue = pullOf(call);
    const shown = await fullPullJson(call.world, call.repo, issue);
    askMergeability(call.world, issue);
    return ok(shown);
  }),
  repoRoute(`PATCH ${ONE}`, 'pull_requests:write@read', edit),
  repoRoute(`GET ${ONE}/commits`, 'pull_requests:read', commits),
  repoRoute(`GET ${ONE}/files`, 'pull_requests:read', files),
  repoRoute(`GET ${ONE}/merge`, 'pull_requests:read', (call) => {
    if (!pullOf(call).pull.mergedAt) throw notFound();
    return noContent();
  }),
  repoRoute(`PUT ${ONE}/merge`, 'contents:write', merge),
];
