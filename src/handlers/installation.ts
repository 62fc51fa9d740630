import {
  addProject,
  markInstallation,
  markProjectsRemoved,
  readInstallationRow,
  renameInstallationAccount,
  renameOwner,
  upsertInstallation,
} from '../db/accounts.ts';
import { listLiveSpecIds } from '../db/specs.ts';
import type { Deps, Unit } from '../services/deps.ts';
import { advance } from '../services/spec/advance.ts';
import type { SpecInput } from '../services/spec/inputs.ts';
import { defineHandler, handled, ignored } from './handler.ts';
import {
  type InstallationEvent,
  installationEvent,
  installationTargetEvent,
  type ShortRepository,
} from './payloads.ts';

export const LATE = ignored('something newer is known of the installation');

/** Writes what an event says of its installation; false when something newer is known. */
export function record(
  unit: Unit,
  { installation }: Pick<InstallationEvent, 'installation'>,
): Promise<boolean> {
  return upsertInstallation(unit.trx, {
    id: installation.id,
    account_id: installation.account.id,
    account_login: installation.account.login,
    account_type: installation.account.type,
    permissions: installation.permissions,
    suspended: installation.suspended_at != null,
    described_at: installation.updated_at ?? null,
  });
}

/** Uninstalled: an installation never comes back under its number. */
export async function isOver(
  unit: Unit,
  { installation }: Pick<InstallationEvent, 'installation'>,
): Promise<boolean> {
  return (await readInstallationRow(unit.trx, installation.id))?.deleted_at != null;
}

/** Puts repositories of a list into an installation. */
export async function addProjects(
  unit: Unit,
  installationId: number,
  repositories: readonly ShortRepository[],
): Promise<void> {
  for (const repository of repositories) {
    const [owner = '', name = ''] = repository.full_name.split('/');
    await addProject(unit.trx, {
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
    if (await isOver(unit, payload)) return LATE;
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

/** Late or not, specs are told of what holds: an event of the same installation may have brought it before. */
async function tellIf(
  deps: Deps,
  unit: Unit,
  { payload, suspended }: { payload: InstallationEvent; suspended: boolean },
): Promise<number | null> {
  const { id } = payload.installation;
  if (await record(unit, payload)) await markInstallation(unit.trx, id, { suspended });
  const row = await readInstallationRow(unit.trx, id);
  if ((row?.suspended_at != null) !== suspended || row?.deleted_at != null) return null;
  const input: SpecInput = { type: suspended ? 'suspended' : 'unsuspended' };
  return tellAll(deps, unit, { of: { installationId: id }, input });
}

export const installationSuspend = defineHandler<InstallationEvent>({
  payload: installationEvent,
  async decide(deps, unit, { payload }) {
    const paused = await tellIf(deps, unit, { payload, suspended: true });
    return paused === null ? LATE : handled(`suspended, ${paused} specs paused`);
  },
});

export const installationUnsuspend = defineHandler<InstallationEvent>({
  payload: installationEvent,
  async decide(deps, unit, { payload }) {
    const resumed = await tellIf(deps, unit, { payload, suspended: false });
    return resumed === null ? LATE : handled(`unsuspended, ${resumed} specs go on`);
  },
});

export const installationPermissions = defineHandler<InstallationEvent>({
  payload: installationEvent,
  async decide(_deps, unit, { payload }) {
    if (!(await record(unit, payload))) return LATE;
    return handled('permissions recorded');
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
