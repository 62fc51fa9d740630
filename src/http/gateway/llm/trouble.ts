import type { IncomingHttpHeaders } from 'node:http';

/** What a provider's refusal means for the work: it has to wait, or somebody has to see to the credential. */
export interface Trouble {
  readonly kind: 'quota' | 'overload' | 'credential';
  /** After how many seconds the provider may be asked again, where it says so. */
  readonly retryAfter: number | null;
}

/** An account without money left: said with statuses that usually mean something else. */
const NO_CREDIT = /credit balance|insufficient_quota|billing/i;

/** Reads a refusal; null where the request itself was wrong. `body` may be cut. */
export function troubleOf(reply: {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}): Trouble | null {
  const { status, headers, body } = reply;
  const retryAfter = secondsOf(headers['retry-after']);
  if (status === 429 || ([400, 402, 403].includes(status) && NO_CREDIT.test(body))) {
    return { kind: 'quota', retryAfter };
  }
  if (status === 401 || status === 403) return { kind: 'credential', retryAfter: null };
  return status >= 500 ? { kind: 'overload', retryAfter } : null;
}

function secondsOf(value: string | undefined): number | null {
  if (value === undefined) return null;
  const seconds = /^\d{1,7}$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return Number.isFinite(seconds) && seconds >= 0 ? Math.ceil(seconds) : null;
}
