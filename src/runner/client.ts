import { setTimeout as delay } from 'node:timers/promises';
import { GENERATION_HEADER } from './limits.ts';

/** What the gateway said, by what the runner can do about it. */
export type Answer =
  | { readonly kind: 'ok'; readonly body: unknown }
  /** A definite no: asking again gives the same. */
  | { readonly kind: 'refused'; readonly status: number; readonly text: string }
  /** This sandbox was replaced or its spec is over. */
  | { readonly kind: 'stale' }
  /** Nobody knows whether it arrived: ask again. */
  | { readonly kind: 'unclear'; readonly reason: string };

export interface Client {
  /** One request. Never throws. */
  post(path: string, body: unknown): Promise<Answer>;
  /** Repeats an unclear request with backoff; still `unclear` after about two minutes. */
  insist(path: string, body: unknown): Promise<Answer>;
}

/** One request's limit, milliseconds. */
const REQUEST_MS = 30_000;
/** After this time an unclear answer is final, milliseconds. */
const INSIST_MS = 120_000;
const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 10_000;
/** A step carries a prompt; nothing that the gateway says is larger. Bytes. */
const ANSWER_BYTES = 16 * 1024 * 1024;

/** The wait before attempt `n` (1, 2, …), milliseconds: doubling, capped, with jitter so that sandboxes spread out. */
export function backoffMs(n: number): number {
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (n - 1)) * (0.75 + Math.random() / 2);
}

/** Speaks JSON to the gateway at `baseUrl` (the bridge); every request carries the generation. */
export function createClient(baseUrl: string, generation: number): Client {
  const post: Client['post'] = async (path, body) => {
    try {
      const { status, text } = await exchange(`${baseUrl}${path}`, generation, JSON.stringify(body));
      return classify(status, text);
    } catch (error) {
      return { kind: 'unclear', reason: error instanceof Error ? error.message : 'unknown' };
    }
  };
  return {
    post,
    async insist(path, body) {
      const start = performance.now();
      for (let attempt = 1; ; attempt += 1) {
        const answer = await post(path, body);
        if (answer.kind !== 'unclear' || performance.now() - start > INSIST_MS) return answer;
        await delay(backoffMs(attempt));
      }
    },
  };
}

/** Sorts a status: 410 stops, 408, 429 and 5xx are worth another try, other failures are definite. */
export function classify(status: number, text: string): Answer {
  if (status === 410) return { kind: 'stale' };
  if (status === 408 || status === 429 || status >= 500)
    return { kind: 'unclear', reason: `status ${status}` };
  if (status !== 200) return { kind: 'refused', status, text: text.slice(0, 500) };
  try {
    return { kind: 'ok', body: JSON.parse(text) };
  } catch {
    return { kind: 'unclear', reason: 'the answer is no JSON' };
  }
}

async function exchange(
  url: string,
  generation: number,
  body: string,
): Promise<{ status: number; text: string }> {
  // Loaded at the first use: it costs 35 ms, and the first git command has to be under way by then.
  const { request } = await import('node:http');
  return new Promise((resolve, reject) => {
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      [GENERATION_HEADER]: String(generation),
    };
    const outgoing = request(url, { method: 'POST', headers, timeout: REQUEST_MS }, (reply) => {
      let text = '';
      reply.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        if (text.length > ANSWER_BYTES) reply.destroy(new Error('the answer is too large'));
      });
      reply.on('end', () => resolve({ status: reply.statusCode ?? 0, text }));
      reply.on('error', reject);
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')));
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
