import { markProjectDeleted, upsertProject } from '../db/accounts.ts';
import type { Deps, Unit } from '../services/deps.ts';
import { defineHandler, type Handler, handled, type Verdict } from './handler.ts';
import { tellAll } from './installation.ts';
import { type RepositoryEvent, repositoryEvent } from './payloads.ts';
import { projectOf } from './repo.ts';

function onRepository(then: (deps: Deps, unit: Unit, payload: RepositoryEvent) => Promise<Verdict>): Handler {
  return defineHandler<RepositoryEvent>({
    payload: repositoryEvent,
    async decide(deps, unit, { payload }) {
      await upsertProject(unit.trx, projectOf(payload));
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
  handled(
    `known as ${repository.owner.login}/${repository.name}, default branch ${repository.default_branch}`,
  ),
);

export const repositoryArchived = onRepository(async (deps, unit, payload) => {
  const ended = await endAll(deps, unit, { payload, what: 'archived' });
  return handled(`archived, ${ended} specs cancelled`);
});

export const repositoryDeleted = onRepository(async (deps, unit, payload) => {
  const ended = await endAll(deps, unit, { payload, what: 'deleted' });
  await markProjectDeleted(unit.trx, payload.repository.id);
  return handled(`deleted, ${ended} specs cancelled`);
});
