import { GitHubError, type GitHubErrorKind, MINT_ROUTE } from '../github/errors.ts';
import type { Deps } from '../services/deps.ts';
import { type Gathered, type Handler, ignored, type Verdict } from './handler.ts';

/** Refusals of a token that no waiting changes: the App has no business with the repository (any more). */
const OUT_OF_REACH: Readonly<Partial<Record<GitHubErrorKind, string>>> = {
  not_found: 'the App is not installed there',
  suspended: 'the installation is suspended',
  forbidden: 'the installation does not grant the permissions that the App asks for',
};

/**
 * Asks GitHub what a handler wants to know. That the App is out of reach is a clear answer too.
 * @throws RetryableError when an answer is unclear
 */
export async function gatherFor(deps: Deps, handler: Handler, payload: unknown): Promise<Gathered> {
  if (!handler.gather) return {};
  try {
    return await handler.gather(deps, payload);
  } catch (error) {
    const refused = error instanceof GitHubError && error.callSite === MINT_ROUTE;
    const outOfReach = refused ? OUT_OF_REACH[error.kind] : undefined;
    if (outOfReach === undefined) throw error;
    return { outOfReach };
  }
}

/** Decides one event with what was gathered for it; where the App is out of reach, the handler is not asked. */
export async function decideWith(
  deps: Deps,
  handler: Handler,
  at: { unit: Parameters<Handler['decide']>[1]; payload: unknown; gathered: Gathered },
): Promise<Verdict> {
  const { unit, payload, gathered } = at;
  if (typeof gathered.outOfReach === 'string') return ignored(gathered.outOfReach);
  return handler.decide(deps, unit, { payload, gathered });
}
