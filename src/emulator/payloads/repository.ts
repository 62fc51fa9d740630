import {
  accountOf,
  fullName,
  type Json,
  type Label,
  nodeId,
  type Repository,
  stamp,
  type World,
} from '../state.ts';
import { api, userJson } from './accounts.ts';

/** The REST address of a repository. */
export function repositoryApi(world: World, repo: Repository): string {
  return `${api(world)}/repos/${fullName(world, repo)}`;
}

// What follows the repository's address in each `*_url` field.
const LINKS: Record<string, string> = {
  forks_url: '/forks',
  keys_url: '/keys{/key_id}',
  collaborators_url: '/collaborators{/collaborator}',
  teams_url: '/teams',
  hooks_url: '/hooks',
  issue_events_url: '/issues/events{/number}',
  events_url: '/events',
  assignees_url: '/assignees{/user}',
  branches_url: '/branches{/branch}',
  tags_url: '/tags',
  blobs_url: '/git/blobs{/sha}',
  git_tags_url: '/git/tags{/sha}',
  git_refs_url: '/git/refs{/sha}',
  trees_url: '/git/trees{/sha}',
  statuses_url: '/statuses/{sha}',
  languages_url: '/languages',
  stargazers_url: '/stargazers',
  contributors_url: '/contributors',
  subscribers_url: '/subscribers',
  subscription_url: '/subscription',
  commits_url: '/commits{/sha}',
  git_commits_url: '/git/commits{/sha}',
  comments_url: '/comments{/number}',
  issue_comment_url: '/issues/comments{/number}',
  contents_url: '/contents/{+path}',
  compare_url: '/compare/{base}...{head}',
  merges_url: '/merges',
  archive_url: '/{archive_format}{/ref}',
  downloads_url: '/downloads',
  issues_url: '/issues{/number}',
  pulls_url: '/pulls{/number}',
  milestones_url: '/milestones{/number}',
  notifications_url: '/notifications{?since,all,participating}',
  labels_url: '/labels{/name}',
  releases_url: '/releases{/id}',
  deployments_url: '/deployments',
};

/** A repository, as REST and webhooks show it. */
export function repositoryJson(world: World, repo: Repository): Json {
  const url = repositoryApi(world, repo);
  const html = `${world.url}/${fullName(world, repo)}`;
  const open = [...repo.issues.values()].filter((issue) => issue.state === 'open').length;
  return {
    id: repo.id,
    node_id: nodeId('R', repo.id),
    name: repo.name,
    full_name: fullName(world, repo),
    private: repo.private,
    owner: userJson(world, accountOf(world, repo.ownerId)),
    html_url: html,
    description: repo.description,
    fork: false,
    url,
    ...Object.fromEntries(Object.entries(LINKS).map(([name, end]) => [name, url + end])),
    created_at: stamp(repo.createdAt),
    updated_at: stamp(repo.updatedAt),
    pushed_at: stamp(repo.pushedAt),
    git_url: `${html.replace(/^http:/, 'git:')}.git`,
    ssh_url: `ssh://git@${new URL(world.url).host}/${fullName(world, repo)}.git`,
    clone_url: `${html}.git`,
    svn_url: html,
    ...traits(repo, open),
  };
}

function traits(repo: Repository, openIssues: number): Json {
  return {
    homepage: null,
    size: 0,
    stargazers_count: 0,
    watchers_count: 0,
    language: null,
    has_issues: true,
    has_projects: true,
    has_downloads: true,
    has_wiki: false,
    has_pages: false,
    has_discussions: false,
    forks_count: 0,
    mirror_url: null,
    archived: repo.archived,
    disabled: false,
    open_issues_count: openIssues,
    license: null,
    allow_forking: true,
    is_template: false,
    web_commit_signoff_required: false,
    topics: [],
    visibility: repo.private ? 'private' : 'public',
    forks: 0,
    open_issues: openIssues,
    watchers: 0,
    default_branch: repo.defaultBranch,
  };
}

/** How pull requests of a repository may be merged. */
export const MERGE_SETTINGS = {
  allow_squash_merge: true,
  allow_merge_commit: true,
  allow_rebase_merge: true,
  allow_auto_merge: false,
  delete_branch_on_merge: false,
  allow_update_branch: false,
};

/** What `GET /repos/{owner}/{repo}` adds: the merge methods, and what the caller may do. */
export function fullRepositoryJson(world: World, repo: Repository, permissions: Json): Json {
  return {
    ...repositoryJson(world, repo),
    permissions,
    ...MERGE_SETTINGS,
    allow_auto_merge: repo.allowsAutoMerge,
    network_count: 0,
    subscribers_count: 0,
  };
}

/** The five fields by which installation webhooks name a repository. */
export function shortRepositoryJson(world: World, repo: Repository): Json {
  const { id, node_id, name, full_name, private: hidden } = repositoryJson(world, repo);
  return { id, node_id, name, full_name, private: hidden };
}

/** A label of a repository. */
export function labelJson(world: World, repo: Repository, label: Label): Json {
  return {
    id: label.id,
    node_id: nodeId('LA', label.id),
    url: `${repositoryApi(world, repo)}/labels/${encodeURIComponent(label.name)}`,
    name: label.name,
    color: label.color,
    default: label.isDefault,
    description: label.description,
  };
}
