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
  let chunks: Buffer[] = [];
  let size = 0;
  let over = false;
  return await new Promise((resolve) => {
    const finish = (result: Buffer | NoBody) => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      memory.bytes -= size;
      chunks = [];
      resolve(result);
    };
    const hungUp = () => finish('gone');
    const timer = setTimeout(() => finish('slow'), limits.timeoutMs);
    request.on('data', (chunk: Buffer) => {
      if (over) return;
      size += chunk.length;
      memory.bytes += chunk.length;
      chunks.push(chunk);
      if (size > limits.maxBytes) finish('large');
      else if (memory.bytes > memory.maxBytes) finish('busy');
    });
    request.on('end', () => finish(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size)));
    // They stay: whatever still comes is nobody's, and without a listener an error would end the process.
    request.on('close', hungUp).on('error', hungUp);
  });
}
