import { listUnclearPushes, settlePush } from '../../db/pushes.ts';
import { annotateSpec } from '../../db/specs.ts';
import type { RepoRef } from '../../github/client.ts';
import { readRef } from '../../github/refs.ts';
import { checkpointRef } from '../branches/name.ts';
import type { Deps } from '../deps.ts';

/**
 * Asks GitHub where the spec's hidden ref stands, records it, and settles the pushes of which nobody knew whether
 * they had arrived. Null when there is no such ref.
 */
export async function readCheckpoint(
  deps: Deps,
  of: { specId: string; repo: RepoRef },
): Promise<string | null> {
  const ref = checkpointRef(of.specId).replace(/^refs\//, '');
  const there = await readRef(deps.github, of.repo, ref);
  const sha = there.kind === 'found' ? there.sha : null;
  for (const push of await listUnclearPushes(deps.db, of.specId)) {
    await settlePush(deps.db, push.id, push.new_sha === sha ? 'accepted' : 'refused');
  }
  await annotateSpec(deps.db, of.specId, { checkpoint_sha: sha });
  return sha;
}
