import { RetryableError } from '../errors.ts';

/**
 * What GitHub counts per minute and hour, by who waits for it. Reactions have a share that nothing else can use up, since
 * they say that somebody was heard; content (comments, pull requests) has one that upkeep can't use up: edits of a
 * status comment and labels, which show what is known already.
 */
export type WriteKind = 'upkeep' | 'content' | 'reaction';

/** The budget of writes of an installation, shared by all processes. */
export interface WriteBudget {
  take(
    installationId: number,
    kind: WriteKind,
  ): Promise<{ readonly ok: true } | { readonly ok: false; readonly retryAt: Date }>;
}

/** Which share of the write budget a route draws on, if any: what it makes is seen by people. */
export function writeKindOf(route: string): WriteKind | undefined {
  if (!/^(POST|PATCH|PUT) \/repos\/\{owner\}\/\{repo\}\/(issues|pulls|labels)\b/.test(route))
    return undefined;
  if (route.endsWith('/reactions')) return 'reaction';
  return /^PATCH .*\/comments\/|\/labels$/.test(route) ? 'upkeep' : 'content';
}

/**
 * Takes what `route` needs from the budget.
 * @throws RetryableError with `retryAt` when nothing is left; nothing was sent then.
 */
export async function spend(budget: WriteBudget, installationId: number, route: string): Promise<void> {
  const kind = writeKindOf(route);
  if (kind === undefined) return;
  const taken = await budget.take(installationId, kind);
  if (!taken.ok) throw new RetryableError('the write budget is used up', { retryAt: taken.retryAt });
}
