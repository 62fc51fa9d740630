import { messageOf } from '../../errors.ts';

/** What one look came to. `attention` works but wants a word, `unknown` has nothing yet to be judged by. */
export type Verdict = 'ok' | 'attention' | 'wrong' | 'unknown';

/** One thing that was looked at, in plain words. Neither text holds a secret. */
export interface Finding {
  readonly about: string;
  readonly verdict: Verdict;
  readonly says: string;
  /** What to do; there is one wherever something is wrong. */
  readonly fix?: string;
}

export function ok(about: string, says: string): Finding {
  return { about, verdict: 'ok', says };
}

export function attention(about: string, says: string, fix: string): Finding {
  return { about, verdict: 'attention', says, fix };
}

export function wrong(about: string, says: string, fix: string): Finding {
  return { about, verdict: 'wrong', says, fix };
}

/** `says` gives the reason why nothing can be said. */
export function unknown(about: string, says: string): Finding {
  return { about, verdict: 'unknown', says };
}

/** "contents: write, issues: write" for lists of permissions, names and the like. */
export function listed(values: readonly string[]): string {
  return values.length === 0 ? 'none' : values.join(', ');
}

/** One look that breaks never keeps the others from being made; what could not be seen can't be called sound. */
export async function guarded(
  about: string,
  look: () => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    return await look();
  } catch (error) {
    return [wrong(about, `It could not be looked at: ${messageOf(error)}.`, 'Try again in some minutes.')];
  }
}
