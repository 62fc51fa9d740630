/**
 * Finds sandboxes that will never get anywhere, by the database's clock alone: no clock of a worker or a sandbox
 * counts, and one that is wrong changes nothing.
 *
 * Race ledger
 * - A sandbox is heard of between the look and the verdict → it is looked at again under its lock (lose.ts).
 * - Two workers look at once → the spec's lock; the second finds it closed.
 * - One that was requested never starts → it is silent from the moment of its request.
 * - The database was away for longer than the timeout → it heard nobody, so nobody is called silent until every
 *   runner has had the time to report again.
 * - The runner hangs while its heartbeats go on → its step is overdue, or without a step it is idle.
 */
import { listTroubled, type Patience, type Troubled, troubleOf } from '../../db/sandbox-trouble.ts';
import { lockSandbox } from '../../db/sandboxes.ts';
import { lockSpec } from '../../db/specs.ts';
import { messageOf } from '../../errors.ts';
import type { Deps } from '../deps.ts';
import { fenceOff } from './fence.ts';
import { loseSandbox } from './lose.ts';
import { lossOf } from './losses.ts';

/** A runner ends its steps itself; the first step's time includes the clone, which may take ten minutes. */
const OVERDUE_SECONDS = 15 * 60;
/** A runner insists on its next step for two minutes. */
const IDLE_SECONDS = 5 * 60;
const PAGE = 100;

/** A runner that could not report tries again after 13 seconds at the latest. */
const DEAF_MS = 45_000;
/** For silence that is nobody's fault, seconds. */
const FOR_EVER = 1e9;

/** Makes the look of one worker, which knows when the database was away. */
export function createWatch(deps: Deps): () => Promise<void> {
  let deafUntil = 0;
  return async () => {
    try {
      await watchSandboxes(deps, { deaf: deps.clock.now().getTime() < deafUntil });
    } catch (error) {
      deafUntil = deps.clock.now().getTime() + DEAF_MS;
      throw error;
    }
  };
}

/**
 * One look at every live sandbox. One failure never keeps the others. `deaf`: nobody could be heard lately, so silence
 * means nothing.
 */
export async function watchSandboxes(
  deps: Deps,
  { deaf }: { deaf: boolean } = { deaf: false },
): Promise<void> {
  const heard = patienceOf(deps);
  const patience = deaf ? { ...heard, silent: FOR_EVER } : heard;
  let after: string | null = null;
  do {
    const page: Troubled[] = await listTroubled(deps.db, patience, { after, limit: PAGE });
    for (const found of page) await judge(deps, found, patience);
    after = page.length === PAGE ? page.at(-1)!.id : null;
  } while (after !== null);
}

function patienceOf({ timing }: Deps): Patience {
  return { silent: timing.heartbeatTimeoutSeconds, overdue: OVERDUE_SECONDS, idle: IDLE_SECONDS };
}

async function judge(deps: Deps, found: Troubled, patience: Patience): Promise<void> {
  try {
    const closed = await close(deps, found, patience);
    if (closed)
      deps.log.warn({ sandbox: found.id, spec: found.specId, trouble: found.trouble }, 'sandbox given up');
  } catch (error) {
    deps.log.error({ sandbox: found.id, error: messageOf(error) }, 'sandbox could not be given up');
  }
}

function close(deps: Deps, { id, specId, trouble }: Troubled, patience: Patience): Promise<boolean> {
  return deps.db.transaction(async (trx) => {
    const stillSo = async () => (await troubleOf(trx, id, patience)) === trouble;
    if (trouble !== 'stranded') {
      const reason = lossOf(trouble, detailOf(trouble, patience));
      return loseSandbox(deps, { trx, delivery: null }, { sandboxId: id, reason, stillSo });
    }
    await lockSpec(trx, specId);
    await lockSandbox(trx, id);
    if (!(await stillSo())) return false;
    await fenceOff(trx, specId, 'stranded');
    return true;
  });
}

function detailOf(trouble: 'silent' | 'overdue' | 'idle', patience: Patience): string | null {
  return trouble === 'silent' ? `nothing was heard of it for ${patience.silent} seconds` : null;
}
