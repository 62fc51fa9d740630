import type { Stage } from '../demo/world.ts';

const LONGEST = 100;

/** Prints each REST call of the App that changes something, as the emulated GitHub answers it. */
export function showWrites({ github }: Stage, say: (text: string) => void): void {
  const started = Date.now();
  github.hooks.onExchange = ({ record, sent, reply }) => {
    if (record.kind !== 'rest' || record.method === 'GET' || record.actor.kind !== 'installation') return;
    const at = ((Date.now() - started) / 1000).toFixed(1).padStart(6);
    say(`[${at} s] ${record.method} ${record.path.replace('/api/v3', '')} ${reply.status} ${shorten(sent)}`);
  };
}

/** The body on one line; a token's own call has none. */
function shorten(body: unknown): string {
  const text = body === undefined || body === null ? '' : JSON.stringify(body);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
