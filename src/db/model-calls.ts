/*
 * Calls to models and the budgets that they count against.
 *
 * Race ledger
 * - PostgreSQL crashes within a second of a call's end, for whose disk nobody waits, since all calls of an installation
 *   would queue for it → the call is open again, and counted when its sandbox is gone.
 * - A call's end is told twice, or by a process that was taken for dead → only an open row is settled.
 */
import type { Db, Trx } from './types.ts';

/** Whose budget a call counts against. `period` is "all", or a day: "2026-10-31". Amounts in millionths of a dollar. */
export interface Charge {
  readonly scope: 'run' | 'spec' | 'repository' | 'installation';
  readonly owner: string;
  readonly period: string;
  readonly limit: number;
}

export interface NewCall {
  readonly id: string;
  readonly specId: string;
  readonly sandboxId: string;
  readonly runId: string | null;
  readonly api: string;
  readonly model: string;
  readonly priced: 'listed' | 'dearest';
  readonly reserve: number;
  readonly charges: readonly Charge[];
}

/** `full`: the budget is used up. `busy`: calls that are under way have reserved the rest of it. */
export type Reserved =
  | { readonly kind: 'reserved' }
  | { readonly kind: 'full' | 'busy'; readonly charge: Charge; readonly spent: number };

/** Who did not let a call through, and why. */
export type CallRefusal =
  | { readonly by: 'us'; readonly why: 'credential'; readonly told: string }
  | { readonly by: 'us'; readonly why: 'budget'; readonly scope: Charge['scope']; readonly told: string }
  | { readonly by: 'provider'; readonly why: 'quota' | 'overload' | 'credential' };

export interface CallCost {
  readonly state: 'settled' | 'lost' | 'refused';
  readonly cost: number;
  readonly inputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
  readonly outputTokens: number;
  readonly measured: 'reported' | 'estimated';
  readonly status: number | null;
  readonly refusal: CallRefusal | null;
  readonly retryAfterSeconds: number | null;
}

/** Gives back what was reserved for a call and counts what it cost. False when it was settled before. */
export async function settleCall(db: Db | Trx, id: string, end: CallCost): Promise<boolean> {
  const { rows } = await db.raw<{ rows: { settled: boolean }[] }>(SETTLE, {
    id,
    state: end.state,
    cost: end.cost,
    input: end.inputTokens,
    read: end.cacheReadTokens,
    written: end.cacheWriteTokens,
    output: end.outputTokens,
    measured: end.measured,
    status: end.status,
    refusal: end.refusal === null ? null : JSON.stringify(end.refusal),
    after: end.retryAfterSeconds,
  });
  return rows[0]?.settled ?? false;
}

const SETTLE = `
  with soon as (select set_config('synchronous_commit', 'off', true)), call as (
    update model_calls set state = :state, cost = :cost, input_tokens = :input, cache_read_tokens = :read,
      cache_write_tokens = :written, output_tokens = :output, measured = :measured, status = :status,
      refusal = :refusal, settled_at = specwright_now(),
      retry_at = specwright_now() + make_interval(secs => :after::float8)
    where id = :id and state = 'open' returning reserved, charged
  ), locked as (
    select s.scope, s.owner, s.period, call.reserved from call
    cross join jsonb_to_recordset(call.charged) as w (scope text, owner text, period text)
    join model_spend s on s.scope = w.scope and s.owner = w.owner and s.period = w.period
    order by s.scope, s.owner, s.period for update of s
  ), given as (
    update model_spend s set spent = s.spent + :cost, reserved = s.reserved - locked.reserved, open = s.open - 1
    from locked where s.scope = locked.scope and s.owner = locked.owner and s.period = locked.period
    returning 1
  )
  select exists (select from call) as settled, (select count(*) from given) from soon`;

/** Notes that a call was refused by us, so that the work can be held for the right reason. */
export async function noteRefusedCall(
  db: Db,
  call: Omit<NewCall, 'reserve' | 'charges'>,
  refusal: CallRefusal,
): Promise<void> {
  await db('model_calls').insert({
    id: call.id,
    spec_id: call.specId,
    sandbox_id: call.sandboxId,
    run_id: call.runId,
    api: call.api,
    model: call.model,
    priced: call.priced,
    state: 'refused',
    refusal: JSON.stringify(refusal),
    settled_at: db.raw('specwright_now()'),
  });
}

export interface LastCallRow {
  readonly refusal: CallRefusal | null;
  /** Why we refused it, in the words that the agent got. */
  readonly told: string | null;
  /** When the provider wants to be asked again, where it said so. */
  readonly retry_at: Date | null;
  readonly now: Date;
  /** When the day's budgets are renewed. */
  readonly tomorrow: Date;
  /** How often the spec was held before. */
  readonly holds: number;
}

/** The last call of a run, with what decides how long its spec is held; null when it made none. */
export async function readLastCall(trx: Trx, runId: string): Promise<LastCallRow | null> {
  const { rows } = await trx.raw<{ rows: LastCallRow[] }>(
    `select refusal, refusal ->> 'told' as told, retry_at, specwright_now() as now,
       (date_trunc('day', specwright_now() at time zone 'utc') + interval '1 day') at time zone 'utc' as tomorrow,
       (select count(*)::int from spec_events e
        where e.spec_id = model_calls.spec_id and e.type = 'spec.held') as holds
     from model_calls where run_id = ? order by opened_at desc, settled_at desc limit 1`,
    [runId],
  );
  return rows[0] ?? null;
}

/** What a spec's calls have cost so far, in millionths of a dollar; null when it made none. */
export async function readSpecSpend(
  db: Db | Trx,
  specId: string,
): Promise<{ spent: number; about: boolean } | null> {
  const { rows } = await db.raw<{ rows: { calls: number; spent: number; about: boolean }[] }>(
    `select count(*)::int as calls, coalesce(sum(cost), 0)::float8 as spent,
       coalesce(bool_or(measured = 'estimated' or priced = 'dearest'), false) as about
     from model_calls where spec_id = ? and state <> 'refused'`,
    [specId],
  );
  const { calls, spent, about } = rows[0]!;
  return calls === 0 ? null : { spent, about };
}

/** When the time of these holds has come. */
export async function listDueHolds(db: Db, limit: number): Promise<string[]> {
  const rows = await db('specs')
    .whereRaw("hold is not null and (hold ->> 'until')::timestamptz <= specwright_now()")
    .whereRaw("hold ->> 'reason' in ('budget', 'quota')")
    .limit(limit)
    .pluck('id');
  return rows;
}

export interface OpenCallRow {
  id: string;
  model: string;
  reserved: string;
}

/** Calls that nobody will settle: their sandbox is gone, and so is whoever passed them on. */
export async function listLeftCalls(db: Db, limit: number): Promise<OpenCallRow[]> {
  return db('model_calls')
    .where({ state: 'open' })
    .whereRaw("opened_at < specwright_now() - interval '1 minute'")
    .whereNotExists(
      db('sandboxes')
        .select('id')
        .whereNot({ state: 'gone' })
        .whereRaw('sandboxes.id = model_calls.sandbox_id'),
    )
    .orderBy('opened_at')
    .limit(limit)
    .select('id', 'model', 'reserved');
}
