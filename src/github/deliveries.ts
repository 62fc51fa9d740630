import type { GitHub } from './client.ts';
import { orExpected } from './errors.ts';

/** One attempt to deliver a webhook, as GitHub remembers it. */
export interface HookDelivery {
  /** A number of 64 bits, as text. */
  readonly id: string;
  readonly guid: string;
  readonly deliveredAt: Date;
  readonly ok: boolean;
  /** What the receiver answered; 0 for nothing. */
  readonly status: number;
  readonly event: string;
  readonly action: string | null;
  /** GitHub holds it back and will send it itself. */
  readonly throttled: boolean;
}

export interface HookDeliveries {
  readonly items: readonly HookDelivery[];
  /** Where the next, older page begins; undefined after the last. */
  readonly next: string | undefined;
}

const PER_PAGE = 100;

/**
 * A page of the App's webhook deliveries, newest first. `stale`: GitHub does not take the cursor any more.
 */
export async function listHookDeliveries(
  gh: GitHub,
  cursor: string | null,
): Promise<HookDeliveries | 'stale'> {
  const parameters = { per_page: PER_PAGE, ...(cursor === null ? {} : { cursor }) };
  const asked = gh.callAsApp('GET /app/hook/deliveries', parameters);
  const answer = await orExpected(asked, ({ kind }) =>
    cursor !== null && (kind === 'invalid' || kind === 'not_found') ? 'stale' : undefined,
  );
  if (answer === 'stale') return 'stale';
  const items = answer.data.map((one) => ({
    id: String(one.id),
    guid: one.guid,
    deliveredAt: new Date(one.delivered_at),
    ok: one.status_code >= 200 && one.status_code < 300,
    status: one.status_code,
    event: one.event,
    action: one.action,
    throttled: Boolean(one.throttled_at) && one.status_code === 0,
  }));
  return { items, next: nextCursor(answer.headers.link) };
}

function nextCursor(link: string | undefined): string | undefined {
  const next = link?.split(',').find((part) => part.includes('rel="next"'));
  const url = /<([^>]+)>/.exec(next ?? '')?.[1];
  return url && URL.canParse(url) ? (new URL(url).searchParams.get('cursor') ?? undefined) : undefined;
}

/** Asks GitHub to send a delivery again, under its GUID. `gone`: GitHub keeps it no longer. */
export async function redeliver(gh: GitHub, id: string): Promise<'asked' | 'gone'> {
  const sent = gh.callAsApp('POST /app/hook/deliveries/{delivery_id}/attempts', { delivery_id: wireId(id) });
  const done = sent.then(() => 'asked' as const);
  return orExpected(done, ({ kind }) =>
    kind === 'not_found' || kind === 'gone' || kind === 'invalid' ? 'gone' : undefined,
  );
}

/** What a delivery carried; undefined when GitHub keeps it no longer. */
export async function readHookPayload(gh: GitHub, id: string): Promise<object | undefined> {
  const asked = gh.callAsApp('GET /app/hook/deliveries/{delivery_id}', { delivery_id: wireId(id) });
  const answer = await orExpected(asked, ({ kind }) =>
    kind === 'not_found' || kind === 'gone' || kind === 'invalid' ? 'gone' : undefined,
  );
  return answer === 'gone' ? undefined : (answer.data.request.payload ?? undefined);
}

// The route's type says number, which can't hold all of GitHub's ids; the path takes their digits as they are.
function wireId(id: string): number {
  return id as unknown as number;
}
