import { markProjectDeleted, upsertProject } from '../db/accounts.ts';
import type { Deps, Unit } from '../services/deps.ts';
import { defineHandler, type Handler, handled, ignored, type Verdict } from './handler.ts';
import { tellAll } from './installation.ts';
import { placeIn, settle } from './installation-repositories.ts';
import { type RepositoryEvent, repositoryEvent } from './payloads.ts';
import { askPlaces, lockPlace } from './reach-now.ts';
import { projectOf } from './repo.ts';

type Then = (deps: Deps, unit: Unit, payload: RepositoryEvent) => Promise<Verdict>;

/** `final`: nothing that is known can be newer. */
function onRepository(then: Then, { final = false } = {}): Handler {
  return defineHandler<RepositoryEvent>({
    payload: repositoryEvent,
    async decide(deps, unit, { payload }) {
      const known = await upsertProject(unit.trx, projectOf(payload));
      return known || final
        ? then(deps, unit, payload)
        : ignored('something newer is known of the repository');
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

/** Renamed, unarchived, made private or public, another default branch: noted, live specs go on. */
export const repositoryChanged = onRepository(async (_deps, _unit, { repository }) =>
  handled(
    `known as ${repository.owner.login}/${repository.name}, default branch ${repository.default_branch}`,
  ),
);

/** Comes with lists of two installations that lose and gain it, in any order. */
export const repositoryTransferred = defineHandler<RepositoryEvent>({
  payload: repositoryEvent,
  async gather(deps, { repository, installation }) {
    const named = { id: repository.id, owner: repository.owner.login, name: repository.name };
    return { places: await askPlaces(deps, installation.id, [named]) };
  },
  async decide(deps, unit, { payload, gathered }) {
    const { id: repositoryId } = payload.repository;
    const place = placeIn(gathered, repositoryId);
    if (place) await lockPlace(unit, repositoryId, place);
    const known = await upsertProject(unit.trx, projectOf(payload));
    const by = payload.sender.login;
    const leaving = { by, cause: `@${by} transferred the repository to where the App is not installed.` };
    if (place) await settle(deps, unit, { repositoryId, place, leaving });
    return known
      ? handled(`transferred to ${payload.repository.owner.login}`)
      : ignored('something newer is known of the repository');
  },
});

export const repositoryArchived = onRepository(async (deps, unit, payload) => {
  const ended = await endAll(deps, unit, { payload, what: 'archived' });
  return handled(`archived, ${ended} specs cancelled`);
});

export const repositoryDeleted = onRepository(
  async (deps, unit, payload) => {
    const ended = await endAll(deps, unit, { payload, what: 'deleted' });
    await markProjectDeleted(unit.trx, payload.repository.id);
    return handled(`deleted, ${ended} specs cancelled`);
  },
  { final: true },
);
