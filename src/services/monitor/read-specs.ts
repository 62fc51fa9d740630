import { newestRunEvent } from '../../db/run-events.ts';
import { newestSandbox } from '../../db/sandboxes.ts';
import { listSpecEvents } from '../../db/spec-events.ts';
import { readSpec } from '../../db/specs.ts';
import { secondsSince } from '../../db/time.ts';
import type { Deps } from '../deps.ts';

/** What a spec's sandbox is at; null when there is no such spec. Ages are in seconds by the database's clock. */
export async function readSandboxStatus(deps: Deps, specId: string): Promise<object | null> {
  const spec = await readSpec(deps.db, specId);
  if (!spec) return null;
  const sandbox = await newestSandbox(deps.db, specId);
  const last = sandbox && (await newestRunEvent(deps.db, sandbox.id));
  return {
    specId,
    status: spec.status,
    phase: spec.phase,
    attempt: spec.attempt,
    hold: spec.hold,
    sandbox: sandbox && {
      id: sandbox.id,
      provider: sandbox.provider,
      state: sandbox.state,
      isolated: sandbox.isolated,
      generation: sandbox.generation,
      heartbeatAgeSeconds: await secondsSince(deps.db, sandbox.heartbeat_at),
      endReason: sandbox.end_reason,
      lastEvent: last && { type: last.type, at: last.at.toISOString() },
    },
  };
}

/** A page of a spec's events, oldest first; `next` continues it. Null when there is no such spec. */
export async function readEvents(
  deps: Deps,
  specId: string,
  page: { after: number; limit: number; type: string | null },
): Promise<object | null> {
  if (!(await readSpec(deps.db, specId))) return null;
  const rows = await listSpecEvents(deps.db, specId, page);
  return {
    events: rows.map((row) => ({
      seq: row.seq,
      type: row.type,
      phase: row.phase,
      attempt: row.attempt,
      payload: row.payload,
      at: row.created_at.toISOString(),
    })),
    next: rows.length === page.limit ? rows.at(-1)!.seq : null,
  };
}
