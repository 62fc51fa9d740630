import { type DestinationStream, pino } from 'pino';
import { type Censor, createCensor } from './censor.ts';

/** Fields of one line. Never a payload, a prompt, a header or a token. */
export type LogFields = Readonly<Record<string, unknown>>;

/** What every line of a piece of work carries. */
export interface LogBindings {
  readonly delivery?: string;
  readonly installation?: number;
  readonly spec?: string;
  readonly run?: string;
  readonly sandbox?: string;
  readonly job?: string;
  readonly component?: string;
}

/** JSON lines: fields first, then a message that is the same text every time. An error goes into the field `err`. */
export interface Logger {
  trace(fields: LogFields, message: string): void;
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  fatal(fields: LogFields, message: string): void;
  child(bindings: LogBindings): Logger;
}

export interface RootLogger extends Logger {
  /** Censors a value that came to be known later (a token, a run's bearer); call the result once it has expired. */
  registerSecret(value: string): () => void;
  /** The same censor, for every other text that leaves the process. */
  readonly censor: Censor;
  /** For libraries that ask for a pino logger of their own. */
  readonly pino: pino.Logger;
}

export interface LoggerOptions {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  readonly secrets: readonly string[];
  /** Default: standard error, written synchronously so that the last line before a crash is there. */
  readonly destination?: DestinationStream;
}

/** Makes the process's logger. The finished line is censored, so nothing gets around it: not a field, not a stack. */
export function createLogger(options: LoggerOptions): RootLogger {
  const censor = createCensor(options.secrets);
  const destination = options.destination ?? pino.destination({ fd: 2, sync: true });
  const root = pino(
    {
      level: options.level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError, error: describeError },
    },
    { write: (line: string) => destination.write(censor(line)) },
  );
  return { ...wrap(root), registerSecret: (value) => censor.register(value), censor, pino: root };
}

function wrap(inner: pino.Logger): Logger {
  return {
    trace: (fields, message) => inner.trace(fields, message),
    debug: (fields, message) => inner.debug(fields, message),
    info: (fields, message) => inner.info(fields, message),
    warn: (fields, message) => inner.warn(fields, message),
    error: (fields, message) => inner.error(fields, message),
    fatal: (fields, message) => inner.fatal(fields, message),
    child: (bindings) => wrap(inner.child(bindings)),
  };
}

/** How deep causes are followed; a cycle ends here as well. */
const MAX_CAUSES = 4;

/**
 * An error's own words and nothing that hangs on it: an HTTP client's error carries the request with its headers
 * and the answer's body.
 */
function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return { message: String(error) };
  const { code, status } = error as { code?: unknown; status?: unknown };
  const deeper = depth < MAX_CAUSES;
  return {
    type: error.name,
    message: error.message,
    stack: error.stack,
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(typeof status === 'number' ? { status } : {}),
    ...(deeper && error.cause !== undefined ? { cause: describeError(error.cause, depth + 1) } : {}),
    ...(deeper && error instanceof AggregateError
      ? { errors: error.errors.slice(0, 5).map((inner) => describeError(inner, depth + 1)) }
      : {}),
  };
}
