import { findInstallationIds, findRequesterIds } from '../../db/model-credentials.ts';
import type { Db } from '../../db/types.ts';
import { UserError } from '../../errors.ts';
import type { Owner } from '../../services/credentials/place.ts';
import type { OwnerArgument } from './arguments.ts';

/** As GitHub allows them, with the suffix that Enterprise Managed Users have. */
const LOGIN = /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/;
const ID = /^[1-9]\d{0,14}$/;

/**
 * The owner that a login or an id names. Rights follow from ids alone, since logins change hands.
 * @throws UserError when the login is unknown here or may be two
 */
export async function findOwner(db: Db, owner: OwnerArgument): Promise<Owner> {
  if (owner.scope === 'system') return { scope: 'system', id: null };
  const { scope, text } = owner;
  if (ID.test(text)) return { scope, id: Number(text) };
  if (!LOGIN.test(text))
    throw new UserError(`What --${scope} names is neither a login nor one of GitHub's numeric ids.`);
  const ids = scope === 'user' ? await findRequesterIds(db, text) : await findInstallationIds(db, text);
  const [id] = ids;
  if (id !== undefined && ids.length === 1) return { scope, id };
  const found = ids.length === 0 ? 'is not known here' : `could be any of ${ids.join(', ')}`;
  throw new UserError(`The ${scope} "${text}" ${found}. ${remedy[scope]}`);
}

const remedy = {
  user: 'Give the numeric id instead, which https://api.github.com/users/<login> shows as "id".',
  installation:
    'Is the App installed on that account, and has it run since? Or give the numeric id, which stands at the end of the address of the page of the installation.',
} as const;
