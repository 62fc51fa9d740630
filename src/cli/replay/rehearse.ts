import { secretsOf } from '../../config.ts';
import { type RecordedDelivery, type Written, writtenBy } from '../../db/recorded.ts';
import { openDeps } from '../../deps.ts';
import { UserError } from '../../errors.ts';
import { decideWith, gatherFor } from '../../handlers/gather.ts';
import type { Handler, Verdict } from '../../handlers/handler.ts';
import { handlerOf } from '../../handlers/index.ts';
import { createLogger } from '../../log.ts';
import type { Deps } from '../../services/deps.ts';
import { readPayload } from '../../services/inbox/read.ts';
import { configOrExit } from '../environment.ts';
import { describe } from './delivery.ts';

/** Decides a delivery in a transaction that is rolled back, with answers that GitHub gives now, and shows what it wrote. */
export async function rehearse(delivery: RecordedDelivery): Promise<number> {
  const config = configOrExit(process.env);
  if (typeof config === 'number') return config;
  const payload = readPayload(delivery.bytes);
  if (!payload)
    throw new UserError('Its body was removed after 30 days, or is no JSON object: nothing to decide.');
  const handler = handlerOf(delivery.event, delivery.action);
  const say = (text: string) => process.stdout.write(`${text}\n`);
  say(`${describe(delivery)}. A rehearsal: nothing is kept, and nothing is written at GitHub.`);
  if (!handler) {
    say('ignored: nothing here handles it');
    return 0;
  }
  const log = createLogger({ level: 'warn', secrets: secretsOf(config) });
  const opened = await openDeps(config, log, { worker: false });
  try {
    const { verdict, written } = await decideAndForget(opened.deps, handler, {
      guid: delivery.guid,
      payload,
    });
    say(`${verdict.outcome}: ${verdict.reason}`);
    for (const { table, what } of written) say(`  would write ${table}: ${what}`);
    return 0;
  } finally {
    await opened.close();
  }
}

interface Rehearsed {
  readonly verdict: Verdict;
  readonly written: readonly Written[];
}

async function decideAndForget(
  deps: Deps,
  handler: Handler,
  event: { guid: string; payload: Record<string, unknown> },
): Promise<Rehearsed> {
  const parsed = handler.payload.safeParse(event.payload);
  if (!parsed.success) throw new UserError('Its body lacks what the handler needs; the App ignores it.');
  const gathered = await gatherFor(deps, handler, parsed.data);
  const trx = await deps.db.transaction();
  try {
    const unit = { trx, delivery: event.guid };
    const verdict = await decideWith(deps, handler, { unit, payload: parsed.data, gathered });
    return { verdict, written: await writtenBy(trx) };
  } finally {
    await trx.rollback();
  }
}
