import {
  type Account,
  type App,
  accountOf,
  type Installation,
  type Json,
  nodeId,
  stamp,
  type World,
} from '../state.ts';

/** Where the REST API lives below the emulator's origin. */
export function api(world: World): string {
  return `${world.url}/api/v3`;
}

/** An account as it stands inside other objects (`user`, `owner`, `sender`). */
export function userJson(world: World, account: Account): Json {
  const url = `${api(world)}/users/${encodeURIComponent(account.login)}`;
  return {
    login: account.login,
    id: account.id,
    node_id: nodeId('U', account.id),
    avatar_url: `${world.url}/avatars/${account.id}`,
    gravatar_id: '',
    url,
    html_url: `${world.url}/${account.type === 'Bot' ? `apps/${account.login.replace('[bot]', '')}` : account.login}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type: account.type,
    user_view_type: 'public',
    site_admin: false,
  };
}

/** An account as `GET /users/{username}` and `GET /user` answer it. */
export function fullUserJson(world: World, account: Account): Json {
  return {
    ...userJson(world, account),
    name: account.login,
    company: null,
    blog: '',
    location: null,
    email: null,
    bio: null,
    public_repos: 0,
    followers: 0,
    following: 0,
    created_at: stamp(account.createdAt),
    updated_at: stamp(account.createdAt),
  };
}

/** The `organization` field of a webhook. */
export function organizationJson(world: World, account: Account): Json {
  const url = `${api(world)}/orgs/${account.login}`;
  return {
    login: account.login,
    id: account.id,
    node_id: nodeId('O', account.id),
    url,
    repos_url: `${url}/repos`,
    events_url: `${url}/events`,
    hooks_url: `${url}/hooks`,
    issues_url: `${url}/issues`,
    members_url: `${url}/members{/member}`,
    public_members_url: `${url}/public_members{/member}`,
    avatar_url: `${world.url}/avatars/${account.id}`,
    description: '',
  };
}

/** The App as issues and comments name the one that wrote them. */
export function appJson(world: World, appId: number): Json | null {
  const app = world.apps.get(appId);
  if (!app) return null;
  return {
    id: app.id,
    slug: app.slug,
    client_id: app.clientId,
    node_id: nodeId('A', app.id),
    owner: app.ownerId === null ? null : userJson(world, accountOf(world, app.ownerId)),
    name: app.name,
    description: '',
    external_url: `${world.url}/apps/${app.slug}`,
    html_url: `${world.url}/apps/${app.slug}`,
    created_at: stamp(app.createdAt),
    updated_at: stamp(app.createdAt),
    permissions: app.permissions,
    events: app.events,
  };
}

/** The App itself, as `GET /app` answers it. */
export function fullAppJson(world: World, app: App): Json {
  const installed = [...world.installations.values()].filter((one) => one.appId === app.id);
  return { ...appJson(world, app.id), installations_count: installed.length };
}

/** An installation, as REST and `installation*` webhooks show it. */
export function installationJson(world: World, installation: Installation): Json {
  const account = accountOf(world, installation.accountId);
  const app = world.apps.get(installation.appId);
  return {
    id: installation.id,
    client_id: app?.clientId,
    account: userJson(world, account),
    repository_selection: installation.selection,
    access_tokens_url: `${api(world)}/app/installations/${installation.id}/access_tokens`,
    repositories_url: `${api(world)}/installation/repositories`,
    html_url: `${world.url}/settings/installations/${installation.id}`,
    app_id: installation.appId,
    app_slug: app?.slug,
    target_id: account.id,
    target_type: account.type,
    permissions: installation.permissions,
    events: installation.events,
    created_at: stamp(installation.createdAt),
    updated_at: stamp(installation.updatedAt),
    single_file_name: null,
    has_multiple_single_files: false,
    single_file_paths: [],
    suspended_by: null,
    suspended_at: installation.suspendedAt ? stamp(installation.suspendedAt) : null,
  };
}
