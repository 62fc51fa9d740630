import { setTimeout as delay } from 'node:timers/promises';

/**
 * JavaScript timers, so that tests can own them. Deadlines are never judged here: they are judged by the
 * database's `specwright_now()`.
 */
export interface Clock {
  now(): Date;
  /** Resolves after `ms` milliseconds, or early (without an error) when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => new Date(),
  async sleep(ms, signal) {
    try {
      await delay(ms, undefined, { signal });
    } catch (error) {
      if (!signal?.aborted) throw error;
    }
  },
};
