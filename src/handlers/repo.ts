import type { RepoRef } from '../github/client.ts';
import type { RepositoryEvent } from './payloads.ts';

/** The repository of an event as GitHub's API takes it. */
export function repoRefOf({ repository, installation }: RepositoryEvent): RepoRef {
  return {
    installationId: installation.id,
    repositoryId: repository.id,
    owner: repository.owner.login,
    name: repository.name,
  };
}
