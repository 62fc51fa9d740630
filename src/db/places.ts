import type { ProjectRow } from './accounts.ts';
import { LIVE } from './specs.ts';
import type { Db } from './types.ts';

export type PlaceRow = Pick<
  ProjectRow,
  'repository_id' | 'installation_id' | 'owner' | 'name' | 'removed_at'
> & {
  /** Whether a spec is at work there. */
  live: boolean;
};

/** Where we believe repositories to be. */
export async function listPlaces(db: Db, repositoryIds: readonly number[]): Promise<PlaceRow[]> {
  const { rows } = await db.raw(
    `select repository_id, installation_id, owner, name, removed_at,
       exists (select from specs where specs.repository_id = projects.repository_id and ${LIVE}) as live
     from projects where repository_id = any(?)`,
    [[...repositoryIds]],
  );
  return rows;
}
