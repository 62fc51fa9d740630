import { isPull } from '../issue-actions.ts';
import type { CheckRun, CommitStatus } from '../review-state.ts';
import { accountOf, fullName, type Json, nodeId, type Repository, stamp, type World } from '../state.ts';
import { appJson, userJson } from './accounts.ts';
import { repositoryApi } from './repository.ts';

/** The open pull requests whose head is a commit, as checks name them. */
function pullsAt(world: World, repo: Repository, sha: string): Json[] {
  const url = repositoryApi(world, repo);
  const at = { id: repo.id, url, name: repo.name };
  return [...repo.issues.values()]
    .filter(isPull)
    .filter(({ state, pull }) => state === 'open' && pull.headSha === sha)
    .map(({ number, pull }) => ({
      id: pull.id,
      number,
      url: `${url}/pulls/${number}`,
      head: { ref: pull.headRef, sha: pull.headSha, repo: at },
      base: { ref: pull.baseRef, sha: pull.baseSha, repo: at },
    }));
}

/** A check run as REST shows it. */
export function checkRunJson(world: World, repo: Repository, run: CheckRun): Json {
  const url = `${repositoryApi(world, repo)}/check-runs/${run.id}`;
  const html = `${world.url}/${fullName(world, repo)}/runs/${run.id}`;
  return {
    id: run.id,
    name: run.name,
    node_id: nodeId('CR', run.id),
    head_sha: run.headSha,
    external_id: run.externalId,
    url,
    html_url: html,
    details_url: run.detailsUrl ?? html,
    status: run.status,
    conclusion: run.conclusion,
    started_at: stamp(run.startedAt),
    completed_at: run.completedAt && stamp(run.completedAt),
    output: {
      title: run.output.title,
      summary: run.output.summary,
      text: run.output.text,
      annotations_count: run.output.annotations,
      annotations_url: `${url}/annotations`,
    },
    check_suite: { id: run.suiteId },
    app: appJson(world, run.appId),
    pull_requests: pullsAt(world, repo, run.headSha),
  };
}

/** A check run as webhooks show it, with more of its suite. */
export function checkRunHookJson(world: World, repo: Repository, run: CheckRun): Json {
  const shown = checkRunJson(world, repo, run);
  const { app, pull_requests } = shown;
  const pull = (pull_requests as { head: { ref: string } }[])[0];
  const check_suite = {
    id: run.suiteId,
    node_id: nodeId('CS', run.suiteId),
    head_branch: pull?.head.ref ?? null,
    head_sha: run.headSha,
    status: run.status,
    conclusion: run.conclusion,
    url: `${repositoryApi(world, repo)}/check-suites/${run.suiteId}`,
    before: null,
    after: run.headSha,
    pull_requests,
    app,
    created_at: stamp(run.startedAt),
    updated_at: stamp(run.completedAt ?? run.startedAt),
  };
  return { ...shown, check_suite };
}

/** A status of a commit; the combined status leaves its creator out. */
export function statusJson(world: World, repo: Repository, status: CommitStatus): Json {
  return {
    url: `${repositoryApi(world, repo)}/statuses/${status.sha}`,
    avatar_url: `${world.url}/avatars/${status.creatorId}`,
    id: status.id,
    node_id: nodeId('SC', status.id),
    state: status.state,
    description: status.description,
    target_url: status.targetUrl,
    context: status.context,
    created_at: stamp(status.createdAt),
    updated_at: stamp(status.createdAt),
    creator: userJson(world, accountOf(world, status.creatorId)),
  };
}
