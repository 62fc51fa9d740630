/*
 * The statements that every call through the gateway waits for: named, so that PostgreSQL plans them once a connection.
 * Knex's own way takes several times as long.
 *
 * Race ledger
 * - Many calls are reserved at once on one budget → the rows of `model_spend` are locked in one order, and each call
 *   sees what the others have reserved (test/integration/model-budget: "overspends by one call at the most").
 * - PostgreSQL crashes within a second of a reservation → it may be forgotten, since nobody waits for its disk: what
 *   such a call costs is not counted.
 */
import type pg from 'pg';
import type { Charge, NewCall, Reserved } from './model-calls.ts';
import type { SandboxRow } from './sandboxes.ts';

export type CallerRow = Pick<SandboxRow, 'id' | 'spec_id' | 'generation' | 'state'> & {
  /** The generation that its spec is at. */
  readonly current: number;
};

/** For whom a sandbox calls a model, and which budgets that counts against. */
export interface PayerRow {
  readonly spec_id: string;
  readonly requester_id: number;
  readonly installation_id: number;
  readonly repository_id: number;
  /** As the spec froze it; null in specs from before there were budgets. */
  readonly budget: unknown;
  /** Of the run that is open, if any. */
  readonly run_id: string | null;
  /** The day, UTC, "2026-10-31". */
  readonly day: string;
}

export interface GatewayStore {
  /** The sandbox that calls, by its id or by the hash of its bearer, with what decides whether it still counts. */
  callerOf(by: { readonly id: string } | { readonly bearerHash: string }): Promise<CallerRow | null>;
  /** What a call of a spec's sandbox is charged to; null when there is no such spec. */
  payerOf(specId: string): Promise<PayerRow | null>;
  /** Reserves a call in all of its budgets, or in none: one statement, and two more for a budget's first call. */
  reserve(call: NewCall): Promise<Reserved>;
}

/** The gateway's hot statements on a pool of their own. */
export function createGatewayStore(pool: pg.Pool): GatewayStore {
  const first = async <T extends object>(name: string, text: string, values: unknown[]): Promise<T | null> =>
    (await pool.query<T>({ name, text, values })).rows[0] ?? null;
  const judge = async (call: NewCall): Promise<Judged> =>
    (await first<Judged>('reserve', RESERVE, [
      JSON.stringify(call.charges),
      call.reserve,
      call.id,
      call.specId,
      call.sandboxId,
      call.runId,
      call.api,
      call.model,
      call.priced,
    ]))!;
  return {
    callerOf: (by) =>
      'id' in by
        ? first('caller', `${CALLER} where sandboxes.id = $1`, [by.id])
        : first('bearer', `${CALLER} where sandboxes.bearer_hash = $1`, [by.bearerHash]),
    payerOf: (specId) => first('payer', PAYER, [specId]),
    async reserve(call) {
      const none = call.charges.find(({ limit }) => limit <= 0);
      if (none) return { kind: 'full', charge: none, spent: 0 };
      let judged = await judge(call);
      if (!judged.known) {
        await pool.query(OPEN_BUDGETS, [JSON.stringify(call.charges)]);
        judged = await judge(call);
      }
      return judged.fits ? { kind: 'reserved' } : whyNot(call, judged);
    },
  };
}

const CALLER = `
  select sandboxes.id, spec_id, sandboxes.generation, state, specs.generation as current
  from sandboxes join specs on specs.id = sandboxes.spec_id`;

const PAYER = `
  select id as spec_id, requester_id, installation_id, repository_id, settings -> 'settings' -> 'budget' as budget,
    (select id from runs where runs.spec_id = specs.id and runs.state = 'open' limit 1) as run_id,
    to_char(specwright_now() at time zone 'utc', 'YYYY-MM-DD') as day
  from specs where id = $1`;

const OPEN_BUDGETS = `
  insert into model_spend (scope, owner, period)
  select scope, owner, period from jsonb_to_recordset($1::jsonb) as w (scope text, owner text, period text)
  order by scope, owner, period on conflict do nothing`;

// The rows are locked in one order, and judged as they are once they are locked. A budget without open calls takes one
// whatever it may cost, or a small budget would never be used.
const RESERVE = `
  with soon as (select set_config('synchronous_commit', 'off', true)), wanted as (
    select * from jsonb_to_recordset($1::jsonb) as w (scope text, owner text, period text, "limit" bigint)
  ), locked as (
    select s.scope, s.owner, s.period, s.spent, s.reserved, s.open, w."limit" from wanted w
    join model_spend s on s.scope = w.scope and s.owner = w.owner and s.period = w.period
    order by s.scope, s.owner, s.period for update of s
  ), judged as (
    select count(*) = (select count(*) from wanted) as known,
      bool_and(spent < "limit" and (open = 0 or spent + reserved + $2::bigint <= "limit")) as fits from locked
  ), taken as (
    update model_spend s set reserved = s.reserved + $2::bigint, open = s.open + 1
    from locked, judged where judged.known and judged.fits
      and s.scope = locked.scope and s.owner = locked.owner and s.period = locked.period
    returning 1
  ), made as (
    insert into model_calls (id, spec_id, sandbox_id, run_id, api, model, priced, state, reserved, charged)
    select $3::uuid, $4::uuid, $5::uuid, $6::uuid, $7::text, $8::text, $9::text, 'open', $2::bigint, $1::jsonb
    from judged where known and fits
    returning 1
  )
  select known, coalesce(fits, false) as fits, (select count(*) from taken) as taken,
    (select count(*) from made) as made, (select jsonb_agg(locked) from locked) as budgets
  from judged, soon`;

interface Judged {
  readonly known: boolean;
  readonly fits: boolean;
  readonly budgets: readonly (Omit<Charge, 'limit'> & { spent: number })[] | null;
}

/** A budget that is used up counts before one that is only busy: waiting would not help. */
function whyNot(call: NewCall, { budgets }: Judged): Reserved {
  const found = call.charges.map((charge) => ({
    charge,
    spent: budgets?.find(({ scope, owner }) => scope === charge.scope && owner === charge.owner)?.spent ?? 0,
  }));
  const full = found.find(({ charge, spent }) => spent >= charge.limit);
  const [first] = found;
  return full ? { kind: 'full', ...full } : { kind: 'busy', ...first! };
}
