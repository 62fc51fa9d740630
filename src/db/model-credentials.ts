import type { Db, Trx } from './types.ts';

/** A row of `model_credentials`. Nothing in it can be read without a key from the environment. */
export interface ModelCredentialRow {
  id: string;
  scope: 'user' | 'installation' | 'system';
  /** GitHub's numeric id of the user or the installation; null for the whole deployment. */
  owner_id: number | null;
  kind: string;
  /** By `seal.ts`. */
  sealed: Buffer;
  /** Names the key that opens `sealed`. */
  key_id: string;
  /** The last characters of the key or its id, at most four. */
  hint: string;
  base_url: string | null;
  created_at: Date;
  updated_at: Date;
  created_by: string;
}

export type CredentialPlace = Pick<ModelCredentialRow, 'scope' | 'owner_id' | 'kind'>;

/** Puts a credential into its place, in the stead of what was there. Answers whether there was none. */
export async function putModelCredential(
  trx: Trx,
  row: Omit<ModelCredentialRow, 'created_at' | 'updated_at'>,
): Promise<boolean> {
  const now = trx.raw('specwright_now()');
  const { id: _, ...facts } = row;
  const rows = await trx('model_credentials')
    .insert(row)
    .onConflict(['scope', 'owner_id', 'kind'])
    .merge({ ...facts, updated_at: now })
    .returning(trx.raw('(xmax = 0) as inserted') as never);
  // knex types an answer by its table's columns, and `xmax` is PostgreSQL's own: it is 0 in a row that is new.
  return (rows[0] as unknown as { inserted: boolean }).inserted;
}

/** Takes a credential out of its place; false when there is none. */
export async function deleteModelCredential(trx: Trx, place: CredentialPlace): Promise<boolean> {
  return (await trx('model_credentials').where(place).delete()) === 1;
}

/** The credentials that may serve one person's specs in one installation, in no order. */
export async function listCredentialsFor(
  db: Db | Trx,
  who: { userId: number; installationId: number; kinds: readonly string[] },
): Promise<ModelCredentialRow[]> {
  return db('model_credentials')
    .whereIn('kind', [...who.kinds])
    .whereRaw(
      `(scope = 'user' and owner_id = ? or scope = 'installation' and owner_id = ? or scope = 'system')`,
      [who.userId, who.installationId],
    );
}

/** Every credential, by scope and owner, with the names that are known of the owners. */
export async function listModelCredentials(
  db: Db | Trx,
): Promise<(ModelCredentialRow & { owner_login: string | null; owner_gone: boolean })[]> {
  const { rows } = await db.raw(
    `select c.*,
       case c.scope
         when 'installation' then i.account_login
         when 'user' then (select s.requester_login from specs s where s.requester_id = c.owner_id
                           order by s.created_at desc limit 1)
       end as owner_login,
       coalesce(i.deleted_at is not null, false) as owner_gone
     from model_credentials c
     left join installations i on c.scope = 'installation' and i.id = c.owner_id
     order by array_position(array['user', 'installation', 'system'], c.scope), c.owner_id, c.kind`,
  );
  return rows;
}

/** Every credential, kept from being changed until the transaction ends. */
export async function lockModelCredentials(trx: Trx): Promise<ModelCredentialRow[]> {
  return trx('model_credentials').orderBy('id').forUpdate();
}

/** Writes the same credential as another key sealed it. Who set it, and when, stays. */
export async function resealModelCredential(
  trx: Trx,
  row: Pick<ModelCredentialRow, 'id' | 'sealed' | 'key_id'>,
): Promise<void> {
  await trx('model_credentials').where({ id: row.id }).update({ sealed: row.sealed, key_id: row.key_id });
}

/** Which keys the rows need; none where the schema has no such table yet. */
export async function countCredentialsByKey(db: Db): Promise<{ key_id: string; count: number }[]> {
  const { rows } = await db.raw(`select to_regclass('model_credentials') is not null as there`);
  if (!rows[0].there) return [];
  const counted = await db('model_credentials').select('key_id').count().groupBy('key_id').orderBy('key_id');
  return counted.map(({ key_id, count }) => ({ key_id: String(key_id), count: Number(count) }));
}

/** Installations by the login of their account, whatever its letters' case; those that are over are left out. */
export async function findInstallationIds(db: Db, login: string): Promise<number[]> {
  return db('installations')
    .whereRaw('lower(account_login) = lower(?)', [login])
    .whereNull('deleted_at')
    .orderBy('id')
    .pluck('id');
}

/**
 * People whom specs know by a login: those whose newest spec carries it, since a login that somebody gave up may be
 * somebody else's by now.
 */
export async function findRequesterIds(db: Db, login: string): Promise<number[]> {
  const { rows } = await db.raw(
    `select requester_id from (
       select distinct on (requester_id) requester_id, requester_login from specs order by requester_id, created_at desc
     ) as newest where lower(requester_login) = lower(?) order by requester_id`,
    [login],
  );
  return (rows as { requester_id: number }[]).map(({ requester_id: id }) => id);
}
