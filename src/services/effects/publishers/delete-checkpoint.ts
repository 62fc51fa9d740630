import { crashPoint } from '../../../crash-point.ts';
import { deleteRef } from '../../../github/refs.ts';
import { checkpointRef } from '../../branches/name.ts';
import type { Deps } from '../../deps.ts';
import type { Published, Publishing } from '../publisher.ts';
import { requireSpec } from '../require-spec.ts';

/** The hidden ref goes with the spec; already gone is success. */
export async function deleteCheckpoint(deps: Deps, publishing: Publishing): Promise<Published> {
  const spec = requireSpec(publishing);
  const ref = checkpointRef(spec.id).replace(/^refs\//, '');
  const gone = await deleteRef(deps.github, publishing.repo, ref);
  crashPoint('ref.deleted');
  if (gone.kind === 'refused') return { kind: 'refused', cause: gone.message, again: true };
  return { kind: 'done', externalId: gone.kind };
}
