/**
 * Lists of an installation's repositories carry no time, and a transfer tells two installations and the repository's
 * own lane in any order: what is decided of a repository's place is decided by what GitHub says now.
 *
 * Race ledger
 * - The place changes after GitHub was asked → that change tells by an event of its own, whose question is later.
 * - Another lane decides on the same repository meanwhile → the row is not as it was, StaleError, asked again
 *   (test/integration/repository-events).
 */
import {
  lockProject,
  markProjectRemoved,
  moveProject,
  type ProjectRow,
  readInstallationRow,
} from '../db/accounts.ts';
import { listPlaces } from '../db/places.ts';
import { StaleError } from '../errors.ts';
import type { GitHub, RepoRef } from '../github/client.ts';
import { GitHubError, MINT_ROUTE } from '../github/errors.ts';
import { findInstallation } from '../github/installations.ts';
import { readRepository } from '../github/repositories.ts';
import type { Deps, Unit } from '../services/deps.ts';

/** Where GitHub says that a repository is, and where we believed it to be. */
export interface Place {
  /** The installation through which the App reaches it; null for none. */
  readonly through: number | null;
  /** Its present name, where a spec is at work. */
  readonly owner?: string;
  readonly name?: string;
  /** Of the row at that time; null without one. */
  readonly before: string | null;
}

export interface Named {
  readonly id: number;
  readonly owner: string;
  readonly name: string;
}

/** So many are asked about one by one; of more only those that matter to a spec or another installation. */
const FEW = 20;
const AT_ONCE = 5;

/**
 * Asks where repositories are now that an event of an installation names. Those that are not in the answer are to be
 * taken as the event says. @throws RetryableError when an answer is unclear
 */
export async function askPlaces(
  deps: Deps,
  installationId: number,
  repositories: readonly Named[],
): Promise<Readonly<Record<string, Place>>> {
  const github = deps.github.within({ timeoutMs: deps.timing.gatherTimeoutMs });
  const rows = new Map(
    (
      await listPlaces(
        deps.db,
        repositories.map(({ id }) => id),
      )
    ).map((row) => [row.repository_id, row]),
  );
  const wanted = repositories.filter(({ id }) => {
    const row = rows.get(id);
    const matters = row !== undefined && (row.live || row.installation_id !== installationId);
    return matters || repositories.length <= FEW;
  });
  const places: Record<string, Place> = {};
  const waiting = wanted.values();
  const ask = async () => {
    for (const { id, ...named } of waiting) {
      const row = rows.get(id);
      const { owner, name } = row ?? named;
      const found = await askOne(github, { repositoryId: id, owner, name }, row?.live ?? false);
      places[id] = { ...found, before: row ? placeIn(row) : null };
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, ask));
  return places;
}

/** A repository with a live spec is looked at itself too: another one may have taken its name. */
async function askOne(
  github: GitHub,
  repo: Omit<RepoRef, 'installationId'>,
  live: boolean,
): Promise<Omit<Place, 'before'>> {
  const through = await findInstallation(github, repo);
  if (through === null || !live) return { through };
  try {
    const found = await readRepository(github, { ...repo, installationId: through });
    return found.kind === 'missing' ? { through: null } : { through, owner: found.owner, name: found.name };
  } catch (error) {
    if (!(error instanceof GitHubError) || error.callSite !== MINT_ROUTE) throw error;
    if (error.kind === 'not_found') return { through: null };
    // The installation is there, and what it lacks is said where it is felt.
    if (error.kind === 'suspended' || error.kind === 'forbidden') return { through };
    throw error;
  }
}

const placeIn = (row: Pick<ProjectRow, 'installation_id' | 'removed_at'>) =>
  `${row.installation_id}${row.removed_at === null ? '' : ' removed'}`;

/**
 * Locks a repository's row for what is to be decided of its place.
 * @throws StaleError when it is not as it was when GitHub was asked
 */
export async function lockPlace(unit: Unit, repositoryId: number, place: Place): Promise<ProjectRow | null> {
  const row = await lockProject(unit.trx, repositoryId);
  if ((row ? placeIn(row) : null) === place.before) return row;
  throw new StaleError('the repository came to another place while the questions were asked');
}

/** Writes where a locked repository is; false when the App does not reach it any more. */
export async function putInPlace(unit: Unit, repositoryId: number, place: Place): Promise<boolean> {
  const { through, owner, name } = place;
  const over = through === null || (await readInstallationRow(unit.trx, through))?.deleted_at != null;
  if (over) await markProjectRemoved(unit.trx, { repositoryId });
  else {
    const names = owner !== undefined && name !== undefined ? { owner, name } : {};
    await moveProject(unit.trx, repositoryId, { installation_id: through, ...names });
  }
  return !over;
}
