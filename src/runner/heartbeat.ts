import type { Emit } from './context.ts';

/** Emits a heartbeat every `everyMs` milliseconds, whatever else the runner is doing; answers what ends it. */
export function startHeartbeat(emit: Emit, everyMs: number): () => void {
  const timer = setInterval(() => emit('heartbeat', { rssBytes: process.memoryUsage.rss() }), everyMs);
  return () => clearInterval(timer);
}
