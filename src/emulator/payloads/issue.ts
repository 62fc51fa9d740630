import {
  accountOf,
  type Comment,
  fullName,
  type Issue,
  type Json,
  nodeId,
  type Reaction,
  type Repository,
  stamp,
  type World,
} from '../state.ts';
import { appJson, userJson } from './accounts.ts';
import { labelJson, repositoryApi } from './repository.ts';

const CONTENTS = ['+1', '-1', 'laugh', 'hooray', 'confused', 'heart', 'rocket', 'eyes'];

/** The reactions of something by their kind. */
export function reactionCounts(url: string, reactions: readonly Reaction[]): Json {
  const counts = CONTENTS.map((content): [string, number] => [
    content,
    reactions.filter((one) => one.content === content).length,
  ]);
  return { url: `${url}/reactions`, total_count: reactions.length, ...Object.fromEntries(counts) };
}

/** How close an account is to a repository, in GitHub's words. */
export function associationOf(repo: Repository, accountId: number): string {
  if (accountId === repo.ownerId) return 'OWNER';
  return repo.collaborators.has(accountId) ? 'COLLABORATOR' : 'NONE';
}

/** The page of an issue or pull request. */
export function issuePage(world: World, repo: Repository, issue: Issue): string {
  return `${world.url}/${fullName(world, repo)}/${issue.pull ? 'pull' : 'issues'}/${issue.number}`;
}

/** An issue (or the issue side of a pull request), as REST shows it. */
export function issueJson(world: World, repo: Repository, issue: Issue): Json {
  const url = `${repositoryApi(world, repo)}/issues/${issue.number}`;
  const html = issuePage(world, repo, issue);
  return {
    url,
    repository_url: repositoryApi(world, repo),
    labels_url: `${url}/labels{/name}`,
    comments_url: `${url}/comments`,
    events_url: `${url}/events`,
    html_url: html,
    id: issue.id,
    node_id: issue.pull ? nodeId('PR', issue.pull.id) : nodeId('I', issue.id),
    number: issue.number,
    title: issue.title,
    user: userJson(world, accountOf(world, issue.userId)),
    labels: issue.labels.map((label) => labelJson(world, repo, label)),
    state: issue.state,
    locked: false,
    assignee: null,
    assignees: [],
    milestone: null,
    comments: issue.comments.length,
    created_at: stamp(issue.createdAt),
    updated_at: stamp(issue.updatedAt),
    closed_at: issue.closedAt ? stamp(issue.closedAt) : null,
    author_association: associationOf(repo, issue.userId),
    type: null,
    active_lock_reason: null,
    sub_issues_summary: { total: 0, completed: 0, percent_completed: 0 },
    body: issue.body,
    reactions: reactionCounts(url, issue.reactions),
    timeline_url: `${url}/timeline`,
    performed_via_github_app: issue.appId === null ? null : appJson(world, issue.appId),
    state_reason: issue.stateReason,
    ...(issue.pull ? pullPart(world, repo, issue) : {}),
  };
}

/** An issue as webhooks show it: GitHub documents no client id of its App there. */
export function eventIssueJson(world: World, repo: Repository, issue: Issue): Json {
  const json = issueJson(world, repo, issue);
  if (issue.appId === null) return json;
  const { client_id: _clientId, ...app } = appJson(world, issue.appId) ?? {};
  return { ...json, performed_via_github_app: app };
}

function pullPart(world: World, repo: Repository, issue: Issue): Json {
  const html = issuePage(world, repo, issue);
  return {
    draft: issue.pull?.draft,
    pull_request: {
      url: `${repositoryApi(world, repo)}/pulls/${issue.number}`,
      html_url: html,
      diff_url: `${html}.diff`,
      patch_url: `${html}.patch`,
      merged_at: issue.pull?.mergedAt ? stamp(issue.pull.mergedAt) : null,
    },
  };
}

/** What `GET /repos/{owner}/{repo}/issues/{issue_number}` adds. */
export function fullIssueJson(world: World, repo: Repository, issue: Issue): Json {
  const closer = issue.closedById === null ? null : userJson(world, accountOf(world, issue.closedById));
  return { ...issueJson(world, repo, issue), closed_by: closer };
}

/** A comment on an issue or pull request. */
export function commentJson(world: World, repo: Repository, comment: Comment): Json {
  const url = `${repositoryApi(world, repo)}/issues/comments/${comment.id}`;
  const issue = repo.issues.get(comment.issueNumber);
  return {
    url,
    html_url: `${issue ? issuePage(world, repo, issue) : ''}#issuecomment-${comment.id}`,
    issue_url: `${repositoryApi(world, repo)}/issues/${comment.issueNumber}`,
    id: comment.id,
    node_id: nodeId('IC', comment.id),
    user: userJson(world, accountOf(world, comment.userId)),
    created_at: stamp(comment.createdAt),
    updated_at: stamp(comment.updatedAt),
    author_association: associationOf(repo, comment.userId),
    body: comment.body,
    reactions: reactionCounts(url, comment.reactions),
    performed_via_github_app: comment.appId === null ? null : appJson(world, comment.appId),
  };
}

/** One reaction. */
export function reactionJson(world: World, reaction: Reaction): Json {
  return {
    id: reaction.id,
    node_id: nodeId('REA', reaction.id),
    user: userJson(world, accountOf(world, reaction.userId)),
    content: reaction.content,
    created_at: stamp(reaction.createdAt),
  };
}

/** Whether GitHub knows a reaction of this name. */
export function isReaction(content: unknown): content is string {
  return typeof content === 'string' && CONTENTS.includes(content);
}
