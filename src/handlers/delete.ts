import { findSpecByBranch } from '../db/specs.ts';
import { isLive, type Status } from '../services/spec/states.ts';
import { defineHandler, handled, ignored } from './handler.ts';
import { deleteEvent } from './payloads.ts';

/**
 * A branch is gone. Ours after a merge is what we wanted; a live spec's branch is made again when there is something
 * to publish, and GitHub itself closes a pull request whose branch is gone.
 */
export const refDeleted = defineHandler({
  payload: deleteEvent,
  async decide(_deps, unit, { payload }) {
    if (payload.ref_type !== 'branch') return ignored('only branches matter');
    const spec = await findSpecByBranch(unit.trx, payload.repository.id, payload.ref);
    if (!spec) return ignored('the branch belongs to no spec');
    if (!isLive(spec.status as Status)) return handled(`branch ${payload.ref} of spec ${spec.id} is gone`);
    return handled(`branch ${payload.ref} of live spec ${spec.id} was deleted; publishing makes it again`);
  },
});
