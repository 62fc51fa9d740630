import { markProject, upsertProject } from '../db/accounts.ts';
import type { Deps, Unit } from '../services/deps.ts';
import { defineHandler, handled, type Handler, type Verdict } from './handler.ts';
import { tellAll } from './installation.ts';
import { type RepositoryEvent, repositoryEvent } from './payloads.ts';

/** Writes down what the payload says of the repository: its numeric id stays, everything else may change. */
function record(unit: Unit, { repository, installation }: RepositoryEvent): Promise<unknown> {
  return upsertProject(unit.trx, {
    repository_id: repository.id,
    installation_id: installation.id,
    owner: repository.owner.login,
    name: repository.name,
    default_branch: repository.default_branch,
    private: repository.private,
    archived: repository.archived,
  });
}

function onRepository(
  then: (deps: Deps, unit: Unit, payload: RepositoryEvent) => Promise<Verdict>,
): Handler {
  return defineHandler<RepositoryEvent>({
    payload: repositoryEvent,
    async decide(deps, unit, { payload }) {
      await record(unit, payload);
      return then(deps, unit, payload);
    },
  });
}

async function endAll(
  deps: Deps,
  unit: Unit,
  end: { payload: RepositoryEvent; what: string },
): Promise<number> {
  const by = end.payload.sender.login;
  const cause = `@${by} ${end.what} the repository.`;
  return tellAll(deps, unit, {
    of: { repositoryId: end.payload.repository.id },
    input: { type: 'cancelled', cause, by },
  });
}

/** Renamed, transferred, unarchived, made private or public, another default branch: noted, live specs go on. */
export const repositoryChanged = onRepository(async (_deps, _unit, { repository }) =>
  handled(`known as ${repository.owner.login}/${repository.name}, default branch ${repository.default_branch}`),
);

export const repositoryArchived = onRepository(async (deps, unit, payload) => {
  const ended = await endAll(deps, unit, { payload, what: 'archived' });
  return handled(`archived, ${ended} specs cancelled`);
});

export const repositoryDeleted = onRepository(async (deps, unit, payload) => {
  const ended = await endAll(deps, unit, { payload, what: 'deleted' });
  await markProject(unit.trx, payload.repository.id, 'deleted');
  return handled(`deleted, ${ended} specs cancelled`);
});
