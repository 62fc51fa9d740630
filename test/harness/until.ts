import { setTimeout as delay } from 'node:timers/promises';

/** Asks until the answer is true; throws after `ms` milliseconds. Tests wait with this and never for a fixed time. */
export async function until(condition: () => boolean | Promise<boolean>, ms = 15_000): Promise<void> {
  for (const end = Date.now() + ms; Date.now() < end; await delay(10)) if (await condition()) return;
  throw new Error(`still not so after ${ms} ms: ${String(condition)}`);
}
