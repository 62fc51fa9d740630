import { listDueHolds } from '../../db/model-calls.ts';
import type { Deps } from '../deps.ts';
import { advanceAlone } from '../spec/advance.ts';

const AT_ONCE = 100;

/** Lets specs go on whose hold has a time that has come. */
export async function endDueHolds(deps: Deps): Promise<void> {
  for (const specId of await listDueHolds(deps.db, AT_ONCE)) {
    await advanceAlone(deps, { specId, input: { type: 'resumed', by: null } });
  }
}
