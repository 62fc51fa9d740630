import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { systemClock } from '../../src/clock.ts';
import { createLogger } from '../../src/log.ts';
import type { Dispatcher } from '../../src/services/inbox/dispatch.ts';
import { type Inbox, type InboxOptions, startInbox } from '../../src/services/inbox/inbox.ts';
import { packBody } from '../../src/services/inbox/packing.ts';

/** Stores a webhook as ingress does and answers its GUID. */
export async function deliver(
  db: Knex,
  payload: unknown,
  row: { event?: string; guid?: string; claimed_until?: unknown } = {},
): Promise<string> {
  const guid = row.guid ?? randomUUID();
  const body = typeof payload === 'string' ? payload : JSON.stringify(payload);
  await db('deliveries').insert({
    event: 'issues',
    ...row,
    guid,
    bytes: await packBody(Buffer.from(body)),
  });
  return guid;
}

/** A payload of the lane `repo:1#{issue}`. */
export const onIssue = (issue: number, more: object = {}) => ({
  action: 'labeled',
  repository: { id: 1 },
  issue: { number: issue },
  installation: { id: 9 },
  ...more,
});

/** A dispatcher that handles everything and asks nothing, except for what is given. */
export function dispatcherOf(given: Partial<Dispatcher> = {}): Dispatcher {
  return {
    handles: () => true,
    gather: async () => ({}),
    decide: async () => ({ outcome: 'handled', reason: 'seen' }),
    couldNotVerify: async () => ({ outcome: 'ignored', reason: 'could not verify' }),
    ...given,
  };
}

/** An inbox on `fresh`, polling fast, whose log lines are kept. */
export function startTestInbox(
  fresh: { url: string; db: Knex },
  dispatcher: Dispatcher,
  options: Partial<InboxOptions> = {},
): Inbox & { lines: string[] } {
  const lines: string[] = [];
  const log = createLogger({
    level: 'debug',
    secrets: [],
    destination: { write: (line) => void lines.push(line) },
  });
  const settings = { pollMs: 50, ...options.settings };
  return { ...startInbox({ ...fresh, dispatcher, log, clock: systemClock, ...options, settings }), lines };
}
