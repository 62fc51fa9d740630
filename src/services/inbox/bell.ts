import type { Clock } from '../../clock.ts';

/** `arrived`: there may be new deliveries. `released`: something in hand ended, so its lane may go on. */
export type Ring = 'arrived' | 'released';

export interface Bell {
  ring(why: Ring): void;
  /** Resolves at the next ring, or after `ms` milliseconds; a ring since the last wait counts at once. */
  wait(ms: number): Promise<Ring | 'silence'>;
}

/** A wait that a ring cuts short. Of several rings `arrived` is the one that is told. */
export function createBell(clock: Clock): Bell {
  let rung: Ring | undefined;
  let waiter: AbortController | undefined;
  return {
    ring(why) {
      if (rung !== 'arrived') rung = why;
      waiter?.abort();
    },
    async wait(ms) {
      if (!rung) {
        waiter = new AbortController();
        await clock.sleep(ms, waiter.signal);
        waiter = undefined;
      }
      const heard = rung ?? 'silence';
      rung = undefined;
      return heard;
    },
  };
}
