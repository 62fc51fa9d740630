import { markProjectRemoved, type ProjectRow } from '../db/accounts.ts';
import type { Deps, Unit } from '../services/deps.ts';
import { defineHandler, type Gathered, type Handler, handled } from './handler.ts';
import { addProjects, isOver, LATE, record, tellAll } from './installation.ts';
import {
  type InstallationRepositoriesEvent,
  installationRepositoriesEvent,
  type ShortRepository,
} from './payloads.ts';
import { askPlaces, lockPlace, type Place, putInPlace } from './reach-now.ts';

type Event = InstallationRepositoriesEvent;
type Lists = 'repositories_added' | 'repositories_removed';

interface Turn {
  readonly payload: Event;
  readonly repository: ShortRepository;
  /** Missing where GitHub was not asked: then the event is believed. */
  readonly place: Place | undefined;
  readonly row: ProjectRow | null;
}

/** What is said of a spec whose repository is out of the App's reach now. */
export interface Leaving {
  readonly cause: string;
  readonly by: string;
}

/** One repository after the other, each where GitHub says that it is. */
function onEach(
  list: Lists,
  word: string,
  take: (deps: Deps, unit: Unit, turn: Turn) => Promise<void>,
): Handler {
  return defineHandler<Event>({
    payload: installationRepositoriesEvent,
    async gather(deps, payload) {
      const named = payload[list].map(({ id, full_name }) => {
        const [owner = '', name = ''] = full_name.split('/');
        return { id, owner, name };
      });
      return { places: await askPlaces(deps, payload.installation.id, named) };
    },
    async decide(deps, unit, { payload, gathered }) {
      await record(unit, payload);
      if (list === 'repositories_added' && (await isOver(unit, payload))) return LATE;
      for (const repository of payload[list]) {
        const place = placeIn(gathered, repository.id);
        const row = place ? await lockPlace(unit, repository.id, place) : null;
        await take(deps, unit, { payload, repository, place, row });
      }
      return handled(`${payload[list].length} repositories ${word}`);
    },
  });
}

/** What was asked of a repository, read back from the delivery. */
export function placeIn(gathered: Gathered, repositoryId: number): Place | undefined {
  return (gathered.places as Readonly<Record<string, Place>> | undefined)?.[repositoryId];
}

/** Puts a known repository where it is; out of the App's reach its specs end. Answers how many. */
export async function settle(
  deps: Deps,
  unit: Unit,
  at: { repositoryId: number; place: Place; leaving: Leaving },
): Promise<number> {
  const { repositoryId, place, leaving } = at;
  if (await putInPlace(unit, repositoryId, place)) return 0;
  return tellAll(deps, unit, { of: { repositoryId }, input: { type: 'cancelled', ...leaving } });
}

function leavingIn({ sender: { login: by } }: Event): Leaving {
  return { by, cause: `@${by} removed the repository from the App's installation.` };
}

export const installationRepositoriesAdded = onEach(
  'repositories_added',
  'added',
  async (deps, unit, { payload, repository, place, row }) => {
    const { id: here } = payload.installation;
    if (!place || place.through === here) return addProjects(unit, here, [repository]);
    // Somebody has taken it out again, or moved it on: the event of that may have come before this one, or will come.
    if (row) {
      const { id: repositoryId } = repository;
      await settle(deps, unit, { repositoryId, place, leaving: leavingIn(payload) });
    }
  },
);

export const installationRepositoriesRemoved = onEach(
  'repositories_removed',
  'removed',
  async (deps, unit, { payload, repository, place, row }) => {
    const leaving = leavingIn(payload);
    const { id: repositoryId } = repository;
    if (row && place) {
      await settle(deps, unit, { repositoryId, place, leaving });
      return;
    }
    const from = { repositoryId, installationId: payload.installation.id };
    if (place || !(await markProjectRemoved(unit.trx, from))) return;
    await tellAll(deps, unit, { of: { repositoryId }, input: { type: 'cancelled', ...leaving } });
  },
);
