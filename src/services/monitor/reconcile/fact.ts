import { createHash } from 'node:crypto';
import { crashPoint } from '../../../crash-point.ts';
import { RetryableError } from '../../../errors.ts';
import type { Account, Installed, ReachedRepository } from '../../../github/inventory.ts';
import type { Intake } from '../intake.ts';

/** Something that GitHub shows and the database does not know, in the words of the webhook that would have told it. */
export interface Fact {
  readonly event: string;
  readonly action: string | null;
  /** What it is about: a spec, a repository, an installation. */
  readonly about: string;
  /** What makes it this fact and no other: the same values are told once, for ever. */
  readonly key: readonly (string | number | null)[];
  readonly payload: Readonly<Record<string, unknown>>;
}

/** GitHub's own account for whoever is not known. */
export const ghost: Account = { id: 10_137, login: 'ghost', type: 'User' };

/** Hands a fact to the inbox under a GUID made of its content; false when it was told before or nothing handles it. */
export async function tellInbox(intake: Intake, fact: Fact): Promise<boolean> {
  if (!intake.handles(fact.event, fact.action)) return false;
  const what = [fact.event, fact.action, ...fact.key];
  const hash = createHash('sha256').update(JSON.stringify(what)).digest('hex').slice(0, 20);
  const action = fact.action === null ? {} : { action: fact.action };
  const body = Buffer.from(JSON.stringify({ ...action, ...fact.payload }));
  const guid = `reconcile:${fact.about}:${hash}`;
  const stored = await intake.accept({ guid, event: fact.event, body });
  if (stored === 'unavailable') throw new RetryableError('the inbox took no delivery');
  crashPoint('sweep.mid-pass');
  return stored === 'stored';
}

/** A repository as payloads show it. */
export function repositoryPayload(repository: ReachedRepository): object {
  return {
    id: repository.id,
    name: repository.name,
    full_name: fullNameOf(repository),
    owner: repository.owner,
    private: repository.private,
    archived: repository.archived,
    default_branch: repository.defaultBranch,
    updated_at: repository.updatedAt,
  };
}

export function fullNameOf({ owner, name }: Pick<ReachedRepository, 'owner' | 'name'>): string {
  return `${owner.login}/${name}`;
}

/** An installation as its own events show it. */
export function installationPayload(installed: Installed): object {
  return {
    id: installed.id,
    account: installed.account,
    permissions: installed.permissions,
    suspended_at: installed.suspendedAt,
    updated_at: installed.updatedAt,
  };
}
