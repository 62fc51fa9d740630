/** A failure whose text is written for the person who asked; it is shown to them as it is. */
export class UserError extends Error {
  override readonly name = 'UserError';
}

/** A failure that may pass by itself: the work is tried again, not before `retryAt` where that is known. */
export class RetryableError extends Error {
  override readonly name = 'RetryableError';
  readonly retryAt: Date | undefined;
  constructor(message: string, options: { retryAt?: Date; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.retryAt = options.retryAt;
  }
}

/** A failure that no retry mends: the work is parked and operators are alerted. */
export class FatalError extends Error {
  override readonly name = 'FatalError';
}

/** A lost race: what was read is no longer true. Read again and decide again; never shown to anybody. */
export class StaleError extends Error {
  override readonly name = 'StaleError';
}

/** Makes a `switch` over a union total at compile time. */
export function assertNever(value: never, what: string): never {
  throw new FatalError(`unexpected ${what}: ${JSON.stringify(value)}`);
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
