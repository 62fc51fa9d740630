import type { Db, Trx } from './types.ts';

export interface SandboxRow {
  id: string;
  spec_id: string;
  provider: string;
  /** "owner/name" as it was when the sandbox started; inside it keeps that name. */
  repository: string;
  external_id: string | null;
  owner: string | null;
  generation: number;
  state: 'requested' | 'running' | 'closing' | 'gone';
  isolated: boolean | null;
  bearer_hash: string | null;
  heartbeat_at: Date;
  end_reason: string | null;
  created_at: Date;
  ready_at: Date | null;
  /** When it was given up; null for one that lives, and for old rows. */
  closed_at: Date | null;
  ended_at: Date | null;
}

const LIVE = ['requested', 'running'];

/** Writes the row that stands before the provider is called; null when the spec has a live sandbox already. */
export async function insertSandbox(
  trx: Trx,
  sandbox: Pick<SandboxRow, 'id' | 'spec_id' | 'provider' | 'repository' | 'owner' | 'generation'>,
): Promise<SandboxRow | null> {
  const rows = await trx('sandboxes')
    .insert(sandbox)
    .onConflict(trx.raw(`(spec_id) where state in ('requested', 'running')`) as never)
    .ignore()
    .returning('*');
  return rows[0] ?? null;
}

export async function readSandbox(db: Db | Trx, id: string): Promise<SandboxRow | null> {
  return (await db('sandboxes').where({ id }).first()) ?? null;
}

export async function liveSandbox(db: Db | Trx, specId: string): Promise<SandboxRow | null> {
  return (await db('sandboxes').where({ spec_id: specId }).whereIn('state', LIVE).first()) ?? null;
}

/** The newest sandbox of a spec, live or not. */
export async function newestSandbox(db: Db | Trx, specId: string): Promise<SandboxRow | null> {
  return (await db('sandboxes').where({ spec_id: specId }).orderBy('generation', 'desc').first()) ?? null;
}

/** The provider has made it. False when the row was closed meanwhile: the caller destroys the instance. */
export async function markRunning(
  db: Db,
  sandbox: { id: string; externalId: string; isolated: boolean },
): Promise<boolean> {
  const changed = await db('sandboxes')
    .where({ id: sandbox.id, state: 'requested' })
    .update({
      state: 'running',
      external_id: sandbox.externalId,
      isolated: sandbox.isolated,
      ready_at: db.raw('specwright_now()'),
      heartbeat_at: db.raw('specwright_now()'),
    });
  return changed === 1;
}

/** Asks for the end of a spec's live sandbox. Answers the row, or null when there was none. */
export async function markClosing(trx: Trx, specId: string, reason: string): Promise<SandboxRow | null> {
  const rows = await trx('sandboxes')
    .where({ spec_id: specId })
    .whereIn('state', LIVE)
    .update({ state: 'closing', end_reason: reason, closed_at: trx.raw('specwright_now()') })
    .returning('*');
  return rows[0] ?? null;
}

/** Nothing of it is left at the provider. */
export async function markGone(db: Db | Trx, id: string): Promise<void> {
  await db('sandboxes')
    .where({ id })
    .whereNot({ state: 'gone' })
    .update({ state: 'gone', ended_at: db.raw('specwright_now()') });
}

/** A worker's sandboxes that are to be ended. */
export async function listClosing(db: Db, owner: string): Promise<SandboxRow[]> {
  return db('sandboxes').where({ owner, state: 'closing' });
}

/** Keeps signs of life and ends of a sandbox from being written until the transaction ends. */
export async function lockSandbox(trx: Trx, id: string): Promise<SandboxRow | null> {
  return (await trx('sandboxes').where({ id }).forUpdate().first()) ?? null;
}

/** A page of the running sandboxes of one provider (and of one owner, where that is given), in the order of ids. */
export async function listRunning(
  db: Db,
  of: { provider: string; owner: string | null; after: string | null; limit: number },
): Promise<SandboxRow[]> {
  return db('sandboxes')
    .where({ provider: of.provider, state: 'running', ...(of.owner === null ? {} : { owner: of.owner }) })
    .andWhereRaw('(?::uuid is null or id > ?)', [of.after, of.after])
    .orderBy('id')
    .limit(of.limit);
}

export async function listUnfinished(db: Db | Trx, owner: string): Promise<SandboxRow[]> {
  // One order for all who lock one spec after the other.
  return db('sandboxes').where({ owner }).whereNot({ state: 'gone' }).orderBy('spec_id');
}

/**
 * Why sandboxes of a spec were lost by their own fault in the hour before `until` (null: now), oldest first. The
 * host's own restarts do not count.
 */
export async function listLosses(db: Db | Trx, specId: string, until: Date | null = null): Promise<string[]> {
  const { rows } = await db.raw(
    `select end_reason from sandboxes where spec_id = ? and end_reason like 'lost:%'
       and coalesce(closed_at, ended_at, created_at) > coalesce(?, specwright_now()) - interval '1 hour'
     order by generation`,
    [specId, until],
  );
  return rows.map((row: { end_reason: string }) => row.end_reason);
}
