import type { GitHub, RepoRef } from '../../../github/client.ts';
import type { Memory } from '../../../github/conditional.ts';
import type { ReachedRepository } from '../../../github/inventory.ts';
import { repositoryPayload } from './fact.ts';

/** One repository of a pass. */
export interface Place {
  readonly github: GitHub;
  readonly repo: RepoRef;
  readonly repository: ReachedRepository;
  readonly memory: Memory;
  /** The label that starts a spec here now. */
  readonly label: string;
  /** What an event of this repository carries, with its own fields. */
  payload(own: object): Readonly<Record<string, unknown>>;
}

/** Puts together what the parts of a pass need. */
export function placeOf(place: Omit<Place, 'payload' | 'repo'> & { readonly installationId: number }): Place {
  const { installationId, repository, ...rest } = place;
  return {
    ...rest,
    repository,
    repo: {
      installationId,
      repositoryId: repository.id,
      owner: repository.owner.login,
      name: repository.name,
    },
    payload: (own) => ({
      ...own,
      repository: repositoryPayload(repository),
      installation: { id: installationId },
      reconciled: true,
    }),
  };
}
