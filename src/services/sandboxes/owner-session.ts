import { openSession, type Session } from '../../db/session.ts';
import { holdOwnerLock } from '../../db/workers.ts';
import type { Deps } from '../deps.ts';

export interface OwnerOptions {
  readonly channel: string;
  /** Somebody asked for the end of one of this worker's sandboxes. */
  readonly onClosing: () => Promise<void>;
}

/**
 * Keeps a database session of this worker's own. Its advisory lock tells the others that the worker lives; after a
 * broken connection it is taken again.
 */
export async function openOwnerSession(url: string, deps: Deps, options: OwnerOptions): Promise<Session> {
  return openSession({
    url,
    log: deps.log,
    clock: deps.clock,
    channel: options.channel,
    first: holdOwnerLock({ id: deps.workerId, pid: process.pid }),
    onNotice: (payload) => {
      if (payload === deps.workerId) void options.onClosing();
    },
  });
}
