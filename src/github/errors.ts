import { RetryableError } from '../errors.ts';

export type GitHubErrorKind =
  | 'unauthorized'
  | 'forbidden'
  | 'suspended'
  | 'archived'
  | 'blocked'
  | 'not_found'
  | 'gone'
  | 'moved'
  | 'not_modified'
  | 'conflict'
  | 'exists'
  | 'invalid'
  | 'rate_limited'
  | 'secondary_limited'
  | 'timeout'
  | 'unavailable';

interface Failure {
  readonly kind: GitHubErrorKind;
  /** `METHOD /path/{template}`: never a filled-in URL. */
  readonly callSite: string;
  readonly status?: number;
  readonly retryAt?: Date;
  readonly ambiguous?: boolean;
  readonly detail?: string;
  readonly location?: string;
  readonly code?: string;
  readonly unnamedLimit?: boolean;
}

/**
 * Every answer of GitHub that was not expected. It is retryable because an unknown failure is tried again with
 * capped attempts; who knows better reads `kind`. What GitHub said stays out of the message and of the
 * enumerable properties, since loggers print both.
 */
export class GitHubError extends RetryableError {
  readonly kind: GitHubErrorKind;
  readonly callSite: string;
  /** The HTTP status; undefined when no answer came. */
  readonly status: number | undefined;
  /** True when a write may have happened all the same: look before writing again. */
  readonly ambiguous: boolean;
  /** True for a limit without a time: `retryAt` is a guess then. */
  readonly unnamedLimit: boolean;
  readonly #detail: string;
  readonly #location: string | undefined;

  constructor(failure: Failure) {
    const answer = failure.status ?? failure.code ?? 'nothing';
    super(
      `GitHub answered ${answer} (${failure.kind}) to ${failure.callSite}`,
      failure.retryAt ? { retryAt: failure.retryAt } : {},
    );
    this.kind = failure.kind;
    this.callSite = failure.callSite;
    this.status = failure.status;
    this.ambiguous = failure.ambiguous ?? false;
    this.unnamedLimit = failure.unnamedLimit ?? false;
    this.#detail = failure.detail ?? '';
    this.#location = failure.location;
  }

  /** What GitHub said, in its words, at most 500 characters: for a person's eyes, not for a log. */
  get detail(): string {
    return this.#detail;
  }

  /** Where a `moved` thing is now, as GitHub gave it. */
  get location(): string | undefined {
    return this.#location;
  }
}

/** The route that mints installation tokens: its refusals are never an answer to the call that needed the token. */
export const MINT_ROUTE = 'POST /app/installations/{installation_id}/access_tokens';

/**
 * Waits for a call and lets `expected` turn GitHub's refusal of it into an outcome.
 * A refusal that `expected` does not know, and any failure to get a token or budget for the call, is thrown.
 */
export async function orExpected<T, E>(
  call: Promise<T>,
  expected: (error: GitHubError) => E | undefined,
): Promise<T | E> {
  try {
    return await call;
  } catch (error) {
    const outcome =
      error instanceof GitHubError && error.callSite !== MINT_ROUTE ? expected(error) : undefined;
    if (outcome === undefined) throw error;
    return outcome;
  }
}

/** True when GitHub looked at a write and said no for good: a rule, a missing permission, a wrong value. */
export function isRefusal(error: GitHubError): boolean {
  const kinds: readonly GitHubErrorKind[] = ['forbidden', 'archived', 'blocked', 'invalid', 'conflict'];
  return kinds.includes(error.kind);
}
