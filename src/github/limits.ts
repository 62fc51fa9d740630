import { RetryableError } from '../errors.ts';
import type { GitHubError } from './errors.ts';

/** Stands for the App itself where an installation's id is expected: tokens are minted as the App. */
export const APP_ITSELF = 0;

/** Until when GitHub wants to be left alone, by installation; shared by all processes. */
export interface RateLimits {
  /** Milliseconds until the last of these may be called; 0 for now. */
  waitMs(installationIds: readonly number[]): Promise<number>;
  /** GitHub refused a call because of a limit; `afterMs` is the time that it named, if it did. */
  limited(installationId: number, afterMs: number | undefined): Promise<void>;
}

/** Whom a call is counted against, the first of them being whose credentials it carries. */
export type Counted = readonly [number, ...number[]];

/**
 * Lets a call pass.
 * @throws RetryableError with `retryAt` while GitHub wants none; nothing was sent then
 */
export async function pass(limits: RateLimits, counted: Counted, now: () => Date): Promise<void> {
  const ms = await limits.waitMs(counted);
  if (ms <= 0) return;
  const retryAt = new Date(now().getTime() + ms);
  throw new RetryableError('GitHub asked for no calls until later', { retryAt });
}

/** Remembers a refusal that is about a limit; others are none of its business. */
export async function remember(
  limits: RateLimits,
  counted: Counted,
  { error, now }: { readonly error: GitHubError; readonly now: Date },
): Promise<void> {
  if (error.kind !== 'rate_limited' && error.kind !== 'secondary_limited') return;
  const named = error.retryAt !== undefined && !error.unnamedLimit;
  await limits.limited(counted[0], named ? error.retryAt.getTime() - now.getTime() : undefined);
}
