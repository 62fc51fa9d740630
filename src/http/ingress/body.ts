import type { IncomingMessage } from 'node:http';

/** Why no body came: `large`: over the limit. `slow`: out of time. `busy`: no memory left for it. `gone`: hung up. */
export type NoBody = 'large' | 'slow' | 'busy' | 'gone';

export interface BodyLimits {
  /** Bytes of one body. */
  maxBytes: number;
  /** Milliseconds from the first look at the request to its last byte. */
  timeoutMs: number;
}

/** Bytes that are being read by all requests of one ingress. Anybody can send them, so they are limited together. */
export interface ReadingMemory {
  bytes: number;
  readonly maxBytes: number;
}

/** Reads a whole body into memory, never more than the limits; answers why not instead of throwing. */
export async function readBody(
  request: IncomingMessage,
  limits: BodyLimits,
  memory: ReadingMemory,
): Promise<Buffer | NoBody> {
  if (Number(request.headers['content-length'] ?? 0) > limits.maxBytes) return 'large';
  const chunks: Buffer[] = [];
  let size = 0;
  return await new Promise((resolve) => {
    const finish = (result: Buffer | NoBody) => {
      clearTimeout(timer);
      request.off('data', take).off('end', complete).off('close', hungUp).off('error', hungUp);
      // Whatever still comes is nobody's; without a listener an error would end the process.
      request.on('error', () => {});
      memory.bytes -= size;
      resolve(result);
    };
    const take = (chunk: Buffer) => {
      size += chunk.length;
      memory.bytes += chunk.length;
      if (size > limits.maxBytes) finish('large');
      else if (memory.bytes > memory.maxBytes) finish('busy');
      else chunks.push(chunk);
    };
    const complete = () => finish(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, size));
    const hungUp = () => finish('gone');
    const timer = setTimeout(() => finish('slow'), limits.timeoutMs);
    request.on('data', take).on('end', complete).on('close', hungUp).on('error', hungUp);
  });
}
