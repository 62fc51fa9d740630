import { RetryableError } from '../errors.ts';

/** Content is what GitHub counts per minute and hour; reactions have a share that content can't use up. */
export type WriteKind = 'content' | 'reaction';

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
  return route.endsWith('/reactions') ? 'reaction' : 'content';
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
