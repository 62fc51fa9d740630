import { systemClock } from '../../clock.ts';
import { databaseNow } from '../../db/deliveries.ts';
import { listWrittenSince, type RecordedDelivery, readRecorded, requeueDelivery } from '../../db/recorded.ts';
import type { Db } from '../../db/types.ts';
import { UserError } from '../../errors.ts';

const PATIENCE_MS = 30_000;
const LOOK_MS = 100;

/** Puts a delivery back into its lane and follows it to its end. Exit code 1 when it failed again or nobody took it. */
export async function runAgain(db: Db, delivery: RecordedDelivery): Promise<number> {
  const { guid } = delivery;
  const say = (text: string) => process.stdout.write(`${text}\n`);
  say(`${describe(delivery)}; it ended as ${delivery.state}${because(delivery)}`);
  const since = await databaseNow(db);
  if (!(await requeueDelivery(db, guid))) throw new UserError(whyNot(delivery));
  say('Put back at its place in its lane.');
  const ended = await follow(db, guid);
  if (!ended) {
    say(
      `No process took it within ${PATIENCE_MS / 1000} s. It waits in its lane: start the App ("npm start").`,
    );
    return 1;
  }
  say(`Now it ended as ${ended.state}${because(ended)}`);
  for (const { table, what } of await listWrittenSince(db, { since, lane: ended.lane }))
    say(`  ${table}: ${what}`);
  return ended.state === 'parked' ? 1 : 0;
}

/** "issues.labeled of 2026-01-02 03:04:05 UTC". */
export function describe({ event, action, received_at: at }: RecordedDelivery): string {
  const name = action === null ? event : `${event}.${action}`;
  return `${name} of ${at.toISOString().replace('T', ' ').slice(0, 19)} UTC`;
}

function because({ reason }: RecordedDelivery): string {
  return reason === null ? '.' : `: ${reason}`;
}

function whyNot({ state, bytes }: RecordedDelivery): string {
  if (state === 'pending') return 'It has not ended: it still waits in its lane or is being worked on.';
  if (bytes.length === 0) return 'Its body was removed after 30 days, so it cannot be run again.';
  return 'Somebody else put it back just now.';
}

async function follow(db: Db, guid: string): Promise<RecordedDelivery | null> {
  for (let waitedMs = 0; waitedMs < PATIENCE_MS; waitedMs += LOOK_MS) {
    const row = await readRecorded(db, guid);
    if (row && row.state !== 'pending') return row;
    await systemClock.sleep(LOOK_MS);
  }
  return null;
}
