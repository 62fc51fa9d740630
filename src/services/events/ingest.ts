/**
 * Stores what runners report: every event once, in order, without gaps.
 *
 * Races
 * - The same batch twice, at once or later (a lost acknowledgement) → the sandbox's row is locked first, numbers that
 *   are stored are skipped, and both are answered with the same highest number.
 * - A batch that leaves a gap (a hostile or broken runner) → what lies behind the gap is not stored and not
 *   acknowledged, so it comes again.
 * - A message is acknowledged and a new one written at once → the new one is in this answer or in the next.
 * - The sandbox was closed a moment ago → its last words are stored; they change no state of the spec.
 */

import { markDelivered, pendingMessages } from '../../db/messages.ts';
import { insertRunEvents, lastSeq, touchSandbox } from '../../db/run-events.ts';
import type { Db } from '../../db/types.ts';
import { StaleError } from '../../errors.ts';
import type { EventAck, EventBatch, RunEvent } from '../../runner/protocol.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * Stores a batch, counts it as a sign of life (an empty one too) and answers the highest number without a gap and the
 * messages that wait. Resolves after the commit. @throws StaleError when there is no such sandbox
 */
export async function ingestEvents(
  db: Db,
  sandbox: { sandboxId: string; specId: string },
  batch: EventBatch,
): Promise<EventAck> {
  const { sandboxId, specId } = sandbox;
  return db.transaction(async (trx) => {
    // This update is also the lock that puts batches of one sandbox in a row.
    if (!(await touchSandbox(trx, sandboxId))) throw new StaleError('the sandbox is not known');
    const stored = await lastSeq(trx, sandboxId);
    const fresh = withoutGap(batch.events, stored);
    if (fresh.length > 0) await insertRunEvents(trx, { id: sandboxId, specId }, fresh.map(toRow));
    const received = receivedMessages(batch.events);
    if (received.length > 0) await markDelivered(trx, specId, received);
    const pending = await pendingMessages(trx, specId);
    return {
      acked: stored + fresh.length,
      messages: pending.map(({ id, kind, text }) => ({ id, kind, text })),
    };
  });
}

/** The events that continue after `stored` one by one, in order. */
export function withoutGap(events: readonly RunEvent[], stored: number): RunEvent[] {
  const fresh: RunEvent[] = [];
  for (const event of [...events].sort((one, other) => one.seq - other.seq)) {
    if (event.seq === stored + fresh.length + 1) fresh.push(event);
  }
  return fresh;
}

function receivedMessages(events: readonly RunEvent[]): string[] {
  return events
    .filter((event) => event.type === 'message.received')
    .map((event) => event.data.id)
    .filter((id): id is string => typeof id === 'string' && UUID.test(id));
}

function toRow(event: RunEvent): Parameters<typeof insertRunEvents>[2][number] {
  const { seq, stepId, type, at, data } = event;
  return { seq, run_id: stepId, type, at, data };
}
