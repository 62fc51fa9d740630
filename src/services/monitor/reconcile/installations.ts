import type { InstallationRow, ProjectRow } from '../../../db/accounts.ts';
import type { Installed, ReachedRepository } from '../../../github/inventory.ts';
import { type Fact, fullNameOf, ghost, installationPayload, repositoryPayload } from './fact.ts';

/** What the database does not know of the App's installations; `complete`: what is not listed is gone. */
export function installationFacts(
  rows: readonly InstallationRow[],
  listed: { readonly items: readonly Installed[]; readonly complete: boolean },
): Fact[] {
  const known = new Map(rows.map((row) => [row.id, row]));
  const there = new Set(listed.items.map(({ id }) => id));
  const gone = listed.complete ? rows.filter(({ id }) => !there.has(id)) : [];
  return [
    ...listed.items.flatMap((one) => changesOf(one, known.get(one.id))),
    ...gone.map((row) => deleted(row)),
  ];
}

function changesOf(one: Installed, row: InstallationRow | undefined): Fact[] {
  const tell = (action: string, key: Fact['key']): Fact => ({
    event: 'installation',
    action,
    about: `installation/${one.id}`,
    key,
    payload: { installation: installationPayload(one), sender: ghost },
  });
  if (!row) return [tell('created', [one.createdAt])];
  const facts: Fact[] = [];
  if (one.suspendedAt !== null && row.suspended_at === null) facts.push(tell('suspend', [one.suspendedAt]));
  if (one.suspendedAt === null && row.suspended_at !== null) {
    facts.push(tell('unsuspend', [row.suspended_at.toISOString()]));
  }
  if (canonical(one.permissions) !== canonical(row.permissions)) {
    facts.push(tell('new_permissions_accepted', [canonical(one.permissions), canonical(row.permissions)]));
  }
  if (one.account.login !== row.account_login) facts.push(renamed(one, row));
  return facts;
}

function renamed(one: Installed, row: InstallationRow): Fact {
  return {
    event: 'installation_target',
    action: 'renamed',
    about: `installation/${one.id}`,
    key: [row.account_login, one.account.login],
    payload: { account: one.account, installation: { id: one.id }, sender: ghost },
  };
}

function deleted(row: InstallationRow): Fact {
  const account = { id: row.account_id, login: row.account_login, type: row.account_type };
  return {
    event: 'installation',
    action: 'deleted',
    about: `installation/${row.id}`,
    key: [],
    payload: { installation: { id: row.id, account, permissions: row.permissions }, sender: ghost },
  };
}

function canonical(permissions: Readonly<Record<string, string>>): string {
  return Object.entries(permissions)
    .map(([name, access]) => `${name}:${access}`)
    .sort()
    .join(' ');
}

type KnownProject = ProjectRow & { readonly updated_at: Date };

/** What the database does not know of an installation's repositories. */
export function repositoryFacts(
  installed: Installed,
  rows: readonly KnownProject[],
  listed: { readonly items: readonly ReachedRepository[]; readonly complete: boolean },
): Fact[] {
  const known = new Map(rows.map((row) => [row.repository_id, row]));
  const there = new Set(listed.items.map(({ id }) => id));
  const added = listed.items.filter(({ id }) => !known.has(id));
  const removed = listed.complete ? rows.filter((row) => !there.has(row.repository_id)) : [];
  return [
    ...(added.length > 0 ? [addedFact(installed, added)] : []),
    ...removed.map((row) => removedFact(installed, row)),
    ...listed.items.flatMap((one) => changed(installed, one, known.get(one.id))),
  ];
}

const shown = (one: ReachedRepository) => ({ id: one.id, full_name: fullNameOf(one), private: one.private });

function addedFact(installed: Installed, added: readonly ReachedRepository[]): Fact {
  return {
    event: 'installation_repositories',
    action: 'added',
    about: `installation/${installed.id}`,
    // A repository that comes back after a removal is a new fact: its `pushed_at` alone may be the same.
    key: [installed.updatedAt, ...added.map(({ id }) => id)],
    payload: {
      installation: installationPayload(installed),
      sender: ghost,
      repositories_added: added.map(shown),
      repositories_removed: [],
    },
  };
}

function removedFact(installed: Installed, row: KnownProject): Fact {
  const repository = {
    id: row.repository_id,
    full_name: `${row.owner}/${row.name}`,
    private: row.private,
  };
  return {
    event: 'installation_repositories',
    action: 'removed',
    about: `repository/${row.repository_id}`,
    key: [installed.id, row.updated_at.toISOString()],
    payload: {
      installation: installationPayload(installed),
      sender: ghost,
      repositories_added: [],
      repositories_removed: [repository],
    },
  };
}

/** Each event of a repository shows all of it, so one tells whatever changed. */
function changed(installed: Installed, one: ReachedRepository, row: KnownProject | undefined): Fact[] {
  const action = row && whatChanged(one, row);
  if (!row || !action) return [];
  const { name, owner, archived, defaultBranch } = one;
  const key = [owner.login, name, String(archived), String(one.private), defaultBranch];
  return [
    {
      event: 'repository',
      action,
      about: `repository/${one.id}`,
      key: [...key, row.updated_at.toISOString()],
      payload: {
        repository: repositoryPayload(one),
        installation: { id: installed.id },
        sender: ghost,
      },
    },
  ];
}

function whatChanged(one: ReachedRepository, row: KnownProject): string | null {
  if (one.archived !== (row.archived_at !== null)) return one.archived ? 'archived' : 'unarchived';
  if (one.owner.login !== row.owner) return 'transferred';
  if (one.name !== row.name) return 'renamed';
  if (one.private !== row.private) return one.private ? 'privatized' : 'publicized';
  return one.defaultBranch === row.default_branch ? null : 'edited';
}
