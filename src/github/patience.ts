import type { Clock } from '../clock.ts';
import { GitHubError } from './errors.ts';

/** What was made a moment ago is not seen by all of GitHub at once; what is not there at all costs a second more. */
export const UNSEEN_WAITS_MS: readonly number[] = [250, 750];

/** Sends again what was answered 404, twice within a second. 404 is definite: a write that got it did not happen. */
export async function seenEverywhere<T>(clock: Clock, send: () => Promise<T>): Promise<T> {
  for (const wait of UNSEEN_WAITS_MS) {
    try {
      return await send();
    } catch (error) {
      if (!(error instanceof GitHubError) || error.kind !== 'not_found') throw error;
      await clock.sleep(wait);
    }
  }
  return send();
}
