import { addAccount, addApp, addUserToken, newPrivateKey } from './accounts.ts';
import type { Emulator } from './emulator.ts';
import * as installations from './installations.ts';
import * as repositories from './repositories.ts';
import { findAccount, fullName, mustRepository, type World } from './state.ts';

type PeopleAndApps = Pick<
  Emulator,
  | 'createUser'
  | 'createApp'
  | 'setWebhookUrl'
  | 'installApp'
  | 'renameAccount'
  | 'includeRepository'
  | 'excludeRepository'
  | 'suspendInstallation'
  | 'unsuspendInstallation'
  | 'uninstall'
>;

/** What a test does to accounts, Apps and installations. */
export function peopleAndApps(world: World): PeopleAndApps {
  return {
    createUser({ login, type = 'User' }) {
      const account = addAccount(world, login, type);
      return { id: account.id, login, token: addUserToken(world, account) };
    },
    createApp(fresh) {
      const privateKey = fresh.privateKey ?? newPrivateKey();
      const { id, clientId, slug } = addApp(world, { ...fresh, privateKey });
      return { id, clientId, slug, privateKey };
    },
    setWebhookUrl(appId, url) {
      const app = world.apps.get(appId);
      if (!app) throw new Error(`the emulator has no App ${appId}`);
      app.webhookUrl = url === null ? null : new URL(url).href;
    },
    installApp: async (fresh) => ({ installationId: installations.install(world, fresh).id }),
    renameAccount: (login, to) => installations.renameAccount(world, login, to),
    includeRepository: (id, repo) => installations.include(world, id, mustRepository(world, repo)),
    excludeRepository: (id, repo) => installations.exclude(world, id, mustRepository(world, repo)),
    suspendInstallation: (id) => installations.suspend(world, id),
    unsuspendInstallation: (id) => installations.unsuspend(world, id),
    uninstall: (id) => installations.uninstall(world, id),
  };
}

type RepositoryControls = Pick<
  Emulator,
  | 'createRepository'
  | 'addCollaborator'
  | 'removeCollaborator'
  | 'setRules'
  | 'renameRepository'
  | 'transferRepository'
  | 'archiveRepository'
  | 'setPrivate'
  | 'setDefaultBranch'
  | 'deleteRepository'
>;

function mustAccountId(world: World, login: string): number {
  const account = findAccount(world, login);
  if (!account) throw new Error(`the emulator has no account ${login}`);
  return account.id;
}

/** What a test does to repositories past the API. */
export function repositoryControls(world: World): RepositoryControls {
  return {
    async createRepository(fresh) {
      const repo = await repositories.addRepository(world, fresh);
      return { id: repo.id, fullName: fullName(world, repo) };
    },
    addCollaborator({ repo, login, permission }) {
      mustRepository(world, repo).collaborators.set(mustAccountId(world, login), permission);
    },
    removeCollaborator({ repo, login }) {
      mustRepository(world, repo).collaborators.delete(mustAccountId(world, login));
    },
    setRules(repo, rules) {
      mustRepository(world, repo).rules = rules;
    },
    renameRepository: (repo, name) => repositories.renameRepository(world, repo, name),
    transferRepository: (repo, owner) => repositories.transferRepository(world, repo, owner),
    archiveRepository: (repo, archived) => repositories.archiveRepository(world, repo, archived),
    setPrivate: (repo, hidden) => repositories.setPrivate(world, repo, hidden),
    setDefaultBranch: (repo, branch) => repositories.setDefaultBranch(world, repo, branch),
    deleteRepository: (repo) => repositories.deleteRepository(world, repo),
  };
}
