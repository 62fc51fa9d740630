import { emitInstallation } from './events.ts';
import { userJson } from './payloads/accounts.ts';
import { shortRepositoryJson } from './payloads/repository.ts';
import {
  type Account,
  type App,
  accountOf,
  findAccount,
  type Installation,
  type Json,
  mustRepository,
  nextId,
  nodeId,
  now,
  type Repository,
  repositoriesOf,
  type World,
} from './state.ts';

export interface NewInstallation {
  readonly appId: number;
  /** Login of the account. */
  readonly account: string;
  /** `all`, or names with or without owner. */
  readonly repositories: 'all' | readonly string[];
}

function mustAccount(world: World, login: string): Account {
  const account = findAccount(world, login);
  if (!account) throw new Error(`the emulator has no account ${login}`);
  return account;
}

/** The installation with this id; throws when there is none. */
export function mustInstallation(world: World, id: number): Installation {
  const installation = world.installations.get(id);
  if (!installation) throw new Error(`the emulator has no installation ${id}`);
  return installation;
}

function appOf(world: World, id: number): App {
  const app = world.apps.get(id);
  if (!app) throw new Error(`the emulator has no App ${id}`);
  return app;
}

/** Installs an App with the permissions and events it asks for, and sends `installation.created`. */
export function install(world: World, fresh: NewInstallation): Installation {
  const account = mustAccount(world, fresh.account);
  const app = appOf(world, fresh.appId);
  const names = fresh.repositories === 'all' ? [] : fresh.repositories;
  const repos = names.map((name) =>
    mustRepository(world, name.includes('/') ? name : `${account.login}/${name}`),
  );
  const installation: Installation = {
    id: nextId(world),
    appId: app.id,
    accountId: account.id,
    permissions: app.permissions,
    events: app.events,
    createdAt: now(world),
    updatedAt: now(world),
    selection: fresh.repositories === 'all' ? 'all' : 'selected',
    repositoryIds: new Set(repos.map((repo) => repo.id)),
    suspendedAt: null,
  };
  world.installations.set(installation.id, installation);
  send(world, installation, {
    action: 'created',
    fields: { repositories: listed(world, installation), requester: null },
  });
  return installation;
}

function listed(world: World, installation: Installation): Json[] {
  return repositoriesOf(world, installation).map((repo) => shortRepositoryJson(world, repo));
}

function send(world: World, installation: Installation, event: { action: string; fields?: Json }): void {
  const sender = accountOf(world, installation.accountId);
  emitInstallation(world, installation, {
    event: 'installation',
    action: event.action,
    sender,
    fields: event.fields ?? {},
  });
}

/** Removes an installation with its tokens and sends `installation.deleted`. */
export function uninstall(world: World, id: number): void {
  const installation = mustInstallation(world, id);
  const repositories = listed(world, installation);
  world.installations.delete(id);
  for (const [secret, token] of world.tokens) {
    if (token.kind === 'installation' && token.installationId === id) world.tokens.delete(secret);
  }
  send(world, installation, { action: 'deleted', fields: { repositories } });
}

/** Suspends an installation: its tokens are refused and it hears nothing more. Sends `installation.suspend`. */
export function suspend(world: World, id: number): void {
  const installation = mustInstallation(world, id);
  installation.suspendedAt = now(world);
  installation.updatedAt = now(world);
  send(world, installation, { action: 'suspend' });
}

/** Ends a suspension and sends `installation.unsuspend`. */
export function unsuspend(world: World, id: number): void {
  const installation = mustInstallation(world, id);
  installation.suspendedAt = null;
  installation.updatedAt = now(world);
  send(world, installation, { action: 'unsuspend' });
}

/** Tells an installation that repositories came into or left its reach. */
export function tellReach(
  world: World,
  installation: Installation,
  change: { added?: Json[]; removed?: Json[] },
): void {
  emitInstallation(world, installation, {
    event: 'installation_repositories',
    action: change.added ? 'added' : 'removed',
    sender: accountOf(world, installation.accountId),
    fields: {
      repository_selection: installation.selection,
      repositories_added: change.added ?? [],
      repositories_removed: change.removed ?? [],
      requester: null,
    },
  });
}

/** Takes a repository into an installation of selected ones and sends `installation_repositories.added`. */
export function include(world: World, id: number, repo: Repository): void {
  const installation = mustInstallation(world, id);
  installation.repositoryIds.add(repo.id);
  tellReach(world, installation, { added: [shortRepositoryJson(world, repo)] });
}

/** Takes a repository out of an installation of selected ones and sends `installation_repositories.removed`. */
export function exclude(world: World, id: number, repo: Repository): void {
  const installation = mustInstallation(world, id);
  if (installation.selection === 'all')
    throw new Error('an installation on all repositories cannot leave one out');
  installation.repositoryIds.delete(repo.id);
  tellReach(world, installation, { removed: [shortRepositoryJson(world, repo)] });
}

/** Renames an account and sends `installation_target.renamed` to each installation on it. */
export function renameAccount(world: World, login: string, to: string): void {
  const account = mustAccount(world, login);
  for (const repo of world.repositories.values()) {
    if (repo.ownerId === account.id) world.formerNames.set(`${login}/${repo.name}`.toLowerCase(), repo.id);
  }
  account.login = to;
  for (const installation of world.installations.values()) {
    if (installation.accountId !== account.id) continue;
    const fields = {
      installation: { id: installation.id, node_id: nodeId('IIN', installation.id) },
      account: userJson(world, account),
      changes: { login: { from: login } },
      target_type: account.type,
    };
    emitInstallation(world, installation, {
      event: 'installation_target',
      action: 'renamed',
      sender: account,
      fields,
    });
  }
}
