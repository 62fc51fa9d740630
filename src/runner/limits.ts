/**
 * The constants of the protocol. They stand apart from its schemas because the runner's bundle must do without the
 * schema library: loading that costs 55 ms of the time to the first command.
 */

export const GENERATION_HEADER = 'x-sandbox-generation';

/** Caps that both sides keep. */
export const LIMITS = {
  /** One batch of events, bytes of JSON. */
  batchBytes: 512 * 1024,
  batchEvents: 200,
  /** One event's data, bytes of JSON; longer text is cut by the runner. */
  eventBytes: 16 * 1024,
  /** One step's result, bytes of JSON. */
  resultBytes: 2 * 1024 * 1024,
  /** What is kept of a command's output, characters from its end. */
  outputTail: 16_000,
} as const;
