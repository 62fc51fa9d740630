import { FatalError, RetryableError, StaleError, UserError } from '../../errors.ts';

const ours = [FatalError, RetryableError, StaleError, UserError];

/**
 * What may be logged and stored of an error: its kind, its code, where it was thrown. Its words only if they are
 * ours: a driver's or parser's words quote values, which may come from a payload.
 */
export function describeFailure(error: unknown): {
  kind: string;
  code?: string;
  words?: string;
  at?: string;
} {
  if (!(error instanceof Error)) return { kind: typeof error };
  const { code } = error as { code?: unknown };
  const at = error.stack
    ?.split('\n')
    .filter((line) => line.startsWith('    at '))
    .slice(0, 4);
  return {
    kind: error.name,
    ...(typeof code === 'string' ? { code } : {}),
    ...(ours.some((kind) => error instanceof kind) ? { words: error.message } : {}),
    ...(at?.length ? { at: at.map((line) => line.trim().slice('at '.length)).join(' < ') } : {}),
  };
}

/** The same in one short line, for the delivery's row. */
export function summarise(error: unknown): string {
  const { kind, code, words } = describeFailure(error);
  return [kind, code, words].filter(Boolean).join(': ').replaceAll('\0', '').slice(0, 500);
}
