import { UserError } from '../../errors.ts';
import { removeCredential } from '../../services/credentials/edit.ts';
import { nameOf } from '../../services/credentials/place.ts';
import type { Action } from './arguments.ts';
import type { Desk } from './credentials.ts';
import { findOwner } from './owner.ts';

/** Takes a credential away. */
export async function remove(
  { db, actor, say }: Desk,
  { kind, owner: named }: Extract<Action, { do: 'remove' }>,
): Promise<number> {
  const owner = await findOwner(db, named);
  if (!(await removeCredential({ db, actor }, { owner, kind })))
    throw new UserError(
      `There is no credential "${kind}" of ${nameOf(owner)}. "specwright credentials list" shows what there is.`,
    );
  say(
    `Removed the credential "${kind}" of ${nameOf(owner)}. It stays valid at its provider: revoke it there if nobody else uses it.`,
  );
  return 0;
}
