import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { StaleError } from '../../src/errors.ts';
import { createDispatcher } from '../../src/handlers/dispatcher.ts';
import type { Verdict } from '../../src/handlers/handler.ts';
import { handlerOf } from '../../src/handlers/index.ts';
import type { Deps } from '../../src/services/deps.ts';

/** A webhook as GitHub sent it. */
export interface Sent {
  readonly event: string;
  readonly payload: Record<string, unknown>;
}

const RACES = 5;

/** Hands events to the real handlers one after the other, as the inbox does: ask, then decide in one transaction. */
export function createDecider(deps: Deps): (sent: Sent) => Promise<Verdict> {
  const dispatcher = createDispatcher(deps, (call) => async ({ id, name, payload }) => {
    const handler = handlerOf(name, actionIn(payload));
    if (handler) await call(handler, { id, payload });
  });
  return async ({ event, payload }) => {
    const delivery = { guid: randomUUID(), name: event, action: actionIn(payload), payload };
    for (let races = 1; ; races += 1) {
      const gathered = await dispatcher.gather(delivery);
      try {
        return await deps.db.transaction((trx) => dispatcher.decide(trx, delivery, gathered));
      } catch (error) {
        if (!(error instanceof StaleError) || races === RACES) throw error;
      }
    }
  };
}

function actionIn(payload: unknown): string | null {
  const { action } = payload as { action?: unknown };
  return typeof action === 'string' ? action : null;
}

/** All orders of some things. */
export function permutations<T>(values: readonly T[]): T[][] {
  if (values.length < 2) return [[...values]];
  return values.flatMap((first, index) =>
    permutations(values.toSpliced(index, 1)).map((rest) => [first, ...rest]),
  );
}

const TABLES: Readonly<Record<string, string>> = {
  installations:
    'account_id, account_login, account_type, permissions, suspended_at is not null, deleted_at is not null',
  projects:
    'repository_id, installation_id, owner, name, default_branch, private, archived_at is not null, removed_at is not null, deleted_at is not null',
  specs:
    'repository_id, issue_number, title, body, requester_login, status, phase, attempt, round, hold, cause, branch_name, head_sha, pull_request_number, pull_request_url, merge_sha, merged_at is not null, ended_at is not null',
};

/**
 * A repository that was removed and never had a spec is the same as one that was never heard of: which of the two it is
 * depends on whether its installation's end came before its beginning.
 */
const COUNTS: Readonly<Record<string, string>> = {
  projects:
    'removed_at is null or exists (select from specs where specs.repository_id = projects.repository_id)',
};

/** What is left of everything that was handled, without ids of ours and times. */
export async function endState(db: Knex): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  for (const [name, columns] of Object.entries(TABLES))
    found[name] = await lines(db, `select ${columns} from ${name} where ${COUNTS[name] ?? 'true'}`);
  found.effects = await lines(
    db,
    `select s.issue_number, e.kind, e.payload from effects e join specs s on s.id = e.spec_id`,
  );
  found.events = await lines(
    db,
    `select s.issue_number, e.type, e.phase, e.attempt from spec_events e join specs s on s.id = e.spec_id`,
  );
  return found;
}

async function lines(db: Knex, query: string): Promise<string[]> {
  const { rows }: { rows: { line: string }[] } = await db.raw(
    `select row_to_json(r)::text as line from (${query}) r order by 1`,
  );
  return rows.map(({ line }) => line);
}
