import {
  markInstallation,
  markProjectRemoved,
  markProjectsRemoved,
  renameInstallationAccount,
  renameOwner,
  upsertInstallation,
  upsertProject,
} from '../db/accounts.ts';
import { listLiveSpecIds } from '../db/specs.ts';
import type { Deps, Unit } from '../services/deps.ts';
import { advance } from '../services/spec/advance.ts';
import type { SpecInput } from '../services/spec/inputs.ts';
import { defineHandler, handled } from './handler.ts';
import {
  type InstallationEvent,
  installationEvent,
  installationRepositoriesEvent,
  installationTargetEvent,
  type ShortRepository,
} from './payloads.ts';

function record(unit: Unit, { installation }: Pick<InstallationEvent, 'installation'>): Promise<void> {
  return upsertInstallation(unit.trx, {
    id: installation.id,
    account_id: installation.account.id,
    account_login: installation.account.login,
    account_type: installation.account.type,
    permissions: installation.permissions,
    suspended: installation.suspended_at != null,
  });
}

async function addProjects(
  unit: Unit,
  installationId: number,
  repositories: readonly ShortRepository[],
): Promise<void> {
  for (const repository of repositories) {
    const [owner = '', name = ''] = repository.full_name.split('/');
    await upsertProject(unit.trx, {
      repository_id: repository.id,
      installation_id: installationId,
      owner,
      name,
      private: repository.private,
    });
  }
}

/** Tells every live spec of an installation or a repository. */
export async function tellAll(
  deps: Deps,
  unit: Unit,
  what: { of: Parameters<typeof listLiveSpecIds>[1]; input: SpecInput },
): Promise<number> {
  const ids = await listLiveSpecIds(unit.trx, what.of);
  for (const specId of ids) await advance(deps, unit, { specId, input: what.input });
  return ids.length;
}

export const installationCreated = defineHandler<InstallationEvent>({
  payload: installationEvent,
  async decide(_deps, unit, { payload }) {
    await record(unit, payload);
    await addProjects(unit, payload.installation.id, payload.repositories);
    return handled(`installed on ${payload.installation.account.login}`);
  },
});

export const installationDeleted = defineHandler<InstallationEvent>({
  payload: installationEvent,
  async decide(deps, unit, { payload }) {
    const { id } = payload.installation;
    const by = payload.sender.login;
    await record(unit, payload);
    const input: SpecInput = { type: 'cancelled', cause: `@${by} uninstalled the App.`, by };
    const ended = await tellAll(deps, unit, { of: { installationId: id }, input });
    await markInstallation(unit.trx, id, { deleted: true });
    await markProjectsRemoved(unit.trx, id);
    return handled(`uninstalled, ${ended} specs cancelled`);
  },
});

export const installationSuspend = defineHandler<InstallationEvent>({
  payload: installationEvent,
  async decide(deps, unit, { payload }) {
    const { id } = payload.installation;
    await record(unit, payload);
    await markInstallation(unit.trx, id, { suspended: true });
    const paused = await tellAll(deps, unit, { of: { installationId: id }, input: { type: 'suspended' } });
    return handled(`suspended, ${paused} specs paused`);
  },
});

export const installationUnsuspend = defineHandler<InstallationEvent>({
  payload: installationEvent,
  async decide(deps, unit, { payload }) {
    const { id } = payload.installation;
    await record(unit, payload);
    await markInstallation(unit.trx, id, { suspended: false });
    const resumed = await tellAll(deps, unit, { of: { installationId: id }, input: { type: 'unsuspended' } });
    return handled(`unsuspended, ${resumed} specs go on`);
  },
});

export const installationPermissions = defineHandler<InstallationEvent>({
  payload: installationEvent,
  async decide(_deps, unit, { payload }) {
    await record(unit, payload);
    return handled('permissions recorded');
  },
});

export const installationRepositoriesAdded = defineHandler({
  payload: installationRepositoriesEvent,
  async decide(_deps, unit, { payload }) {
    await record(unit, payload);
    await addProjects(unit, payload.installation.id, payload.repositories_added);
    return handled(`${payload.repositories_added.length} repositories added`);
  },
});

export const installationRepositoriesRemoved = defineHandler({
  payload: installationRepositoriesEvent,
  async decide(deps, unit, { payload }) {
    await record(unit, payload);
    const by = payload.sender.login;
    const cause = `@${by} removed the repository from the App's installation.`;
    for (const { id } of payload.repositories_removed) {
      const from = { repositoryId: id, installationId: payload.installation.id };
      if (!(await markProjectRemoved(unit.trx, from))) continue;
      await tellAll(deps, unit, { of: { repositoryId: id }, input: { type: 'cancelled', cause, by } });
    }
    return handled(`${payload.repositories_removed.length} repositories removed`);
  },
});

export const installationTargetRenamed = defineHandler({
  payload: installationTargetEvent,
  async decide(_deps, unit, { payload }) {
    const { account, installation } = payload;
    await renameInstallationAccount(unit.trx, { id: account.id, login: account.login });
    await renameOwner(unit.trx, installation.id, account.login);
    return handled(`the account is now ${account.login}`);
  },
});
