import type { upsertProject } from '../db/accounts.ts';
import type { RepoRef } from '../github/client.ts';
import type { RepositoryEvent } from './payloads.ts';

/** What an event says of its repository: the numeric id stays, everything else may change. */
export function projectOf({
  repository,
  installation,
}: RepositoryEvent): Parameters<typeof upsertProject>[1] {
  return {
    repository_id: repository.id,
    installation_id: installation.id,
    owner: repository.owner.login,
    name: repository.name,
    default_branch: repository.default_branch,
    private: repository.private,
    archived: repository.archived,
    described_at: repository.updated_at ?? null,
  };
}

/** The repository of an event as GitHub's API takes it. */
export function repoRefOf({ repository, installation }: RepositoryEvent): RepoRef {
  return {
    installationId: installation.id,
    repositoryId: repository.id,
    owner: repository.owner.login,
    name: repository.name,
  };
}
