import type { Db, Trx } from './types.ts';

export interface EffectRow {
  effect_key: string;
  spec_id: string | null;
  repository_id: number;
  kind: string;
  payload: Record<string, unknown>;
  state: 'pending' | 'sent' | 'abandoned';
  attempts: number;
  attempted_at: Date | null;
  retry_at: Date | null;
  /** When a comment was sent whose answer has not been seen. */
  unclear_at: Date | null;
  external_id: string | null;
  last_error: string | null;
  created_at: Date;
}

export type NewEffect = Pick<EffectRow, 'effect_key' | 'spec_id' | 'repository_id' | 'kind' | 'payload'>;

/** Writes an effect; false when its key stands already. */
export async function insertEffect(trx: Trx, effect: NewEffect): Promise<boolean> {
  const rows = await trx('effects')
    .insert({ ...effect, payload: JSON.stringify(effect.payload) })
    .onConflict('effect_key')
    .ignore()
    .returning('effect_key');
  return rows.length === 1;
}

/**
 * Takes a pending effect for `lease.seconds` and marks it attempted. Answers the row as it was before, so that the
 * caller sees whether somebody tried already; null when it is done or another process has it.
 */
export async function takeEffect(
  db: Db,
  key: string,
  lease: { owner: string; seconds: number },
): Promise<EffectRow | null> {
  const { rows } = await db.raw(
    `with before as (
       select * from effects where effect_key = ? and state = 'pending'
         and (lease_until is null or lease_until <= specwright_now()) for update skip locked)
     update effects set attempted_at = coalesce(effects.attempted_at, specwright_now()),
       attempts = effects.attempts + 1, lease_owner = ?,
       lease_until = specwright_now() + make_interval(secs => ?)
     from before where effects.effect_key = before.effect_key
     returning before.*`,
    [key, lease.owner, lease.seconds],
  );
  return rows[0] ?? null;
}

/** Seconds until another process has to be done with a pending effect; null when none has it. */
export async function leaseOfEffect(db: Db, key: string): Promise<number | null> {
  const { rows } = await db.raw(
    `select extract(epoch from lease_until - specwright_now())::float as seconds from effects
     where effect_key = ? and state = 'pending' and lease_until > specwright_now()`,
    [key],
  );
  return rows[0]?.seconds ?? null;
}

/** A write leaves now; until its answer is recorded nobody knows whether it arrived. */
export async function noteSending(db: Db, key: string): Promise<void> {
  await db('effects')
    .where({ effect_key: key })
    .update({ unclear_at: db.raw('specwright_now()') });
}

/** The write did not happen for certain. */
export async function noteUnsent(db: Db, key: string): Promise<void> {
  await db('effects').where({ effect_key: key }).update({ unclear_at: null });
}

/** Seconds since a write was sent whose answer nobody saw, by the database's clock; null where none is in doubt. */
export async function secondsInDoubt(db: Db, key: string): Promise<number | null> {
  const { rows } = await db.raw(
    `select extract(epoch from specwright_now() - unclear_at)::float as seconds from effects
     where effect_key = ? and unclear_at is not null`,
    [key],
  );
  return rows[0]?.seconds ?? null;
}

/** Ends what a dead worker held; that somebody tried stays recorded. */
export async function releaseEffects(trx: Trx, owner: string): Promise<void> {
  await trx('effects')
    .where({ lease_owner: owner })
    .whereNotNull('lease_until')
    .update({ lease_until: null, lease_owner: null });
}

export async function finishEffect(trx: Trx, key: string, externalId: string | null): Promise<boolean> {
  const changed = await trx('effects')
    .where({ effect_key: key, state: 'pending' })
    .update({
      state: 'sent',
      external_id: externalId,
      lease_until: null,
      last_error: null,
      finished_at: trx.raw('specwright_now()'),
    });
  return changed === 1;
}

/** Gives an effect back to be tried again, after `seconds`. */
export async function deferEffect(
  db: Db,
  effect: { key: string; error: string; seconds: number },
): Promise<void> {
  await db('effects')
    .where({ effect_key: effect.key, state: 'pending' })
    .update({
      lease_until: null,
      last_error: effect.error,
      retry_at: db.raw('specwright_now() + make_interval(secs => ?)', [effect.seconds]),
    });
}

export async function abandonEffect(trx: Trx, key: string, error: string): Promise<boolean> {
  const changed = await trx('effects')
    .where({ effect_key: key, state: 'pending' })
    .update({
      state: 'abandoned',
      lease_until: null,
      last_error: error,
      finished_at: trx.raw('specwright_now()'),
    });
  return changed === 1;
}

/** Seconds since the effect was asked for, by the database's clock. */
export async function ageOfEffect(db: Db, key: string): Promise<number> {
  const { rows } = await db.raw(
    'select extract(epoch from specwright_now() - created_at)::float as age from effects where effect_key = ?',
    [key],
  );
  return rows[0]?.age ?? 0;
}

/** Pending effects that are due and that nobody is at. */
export async function listDueEffects(db: Db, olderThanSeconds: number): Promise<string[]> {
  const { rows } = await db.raw(
    `select effect_key from effects where state = 'pending'
       and coalesce(retry_at, created_at) < specwright_now() - make_interval(secs => ?)
       and (lease_until is null or lease_until <= specwright_now())
     order by created_at limit 200`,
    [olderThanSeconds],
  );
  return rows.map((row: { effect_key: string }) => row.effect_key);
}

export async function readEffect(db: Db | Trx, key: string): Promise<EffectRow | null> {
  return (await db('effects').where({ effect_key: key }).first()) ?? null;
}

/** Whether the spec's branch is still to be made: until it is, its name may change. */
export async function isBranchPending(db: Db, specId: string): Promise<boolean> {
  const row = await db('effects')
    .where({ spec_id: specId, kind: 'create_branch', state: 'pending' })
    .first('effect_key');
  return row !== undefined;
}

/** True when the App was asked before to put this label on the spec's issue. */
export async function wasLabelled(trx: Trx, specId: string, label: string): Promise<boolean> {
  const row = await trx('effects')
    .where({ spec_id: specId, kind: 'add_label' })
    .whereRaw(`payload ->> 'label' = ?`, [label])
    .first();
  return row !== undefined;
}
