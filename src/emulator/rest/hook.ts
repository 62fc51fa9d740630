import { deliver } from '../events.ts';
import { api } from '../payloads/accounts.ts';
import type { DeliveryRecord } from '../records.ts';
import { notFound, ok, problem, type Reply } from '../reply.ts';
import { instant } from '../usage.ts';
import { type AppCall, appRoute, type Route } from './call.ts';

// GitHub keeps deliveries for three days, and so long they can be sent again.
// https://docs.github.com/en/webhooks/testing-and-troubleshooting-webhooks/redelivering-webhooks
const KEPT_MS = 3 * 24 * 60 * 60 * 1000;

/** The status code that GitHub believes it was answered; 0 for none. */
function statusCode(delivery: DeliveryRecord): number {
  return delivery.outcome === 'lost' ? 200 : (delivery.status ?? 0);
}

function succeeded(delivery: DeliveryRecord): boolean {
  return delivery.outcome === 'delivered' || delivery.outcome === 'lost';
}

function statusText(delivery: DeliveryRecord): string {
  if (succeeded(delivery)) return 'OK';
  const code = statusCode(delivery);
  return code === 0 ? 'failed to connect to host' : `Invalid HTTP Response: ${code}`;
}

function shortDelivery(delivery: DeliveryRecord): Record<string, unknown> {
  return {
    id: delivery.id,
    guid: delivery.guid,
    delivered_at: delivery.queuedAt.toISOString(),
    redelivery: delivery.redelivery,
    duration: Math.round(delivery.durationMs) / 1000,
    status: statusText(delivery),
    status_code: statusCode(delivery),
    event: delivery.event,
    action: delivery.action,
    installation_id: delivery.installationId,
    repository_id: delivery.repositoryId,
    throttled_at: delivery.throttledAt?.toISOString() ?? null,
  };
}

/** Attempts that are over and still kept, newest first. */
function kept(call: AppCall): DeliveryRecord[] {
  const since = instant(call.world) - KEPT_MS;
  const shown = (one: DeliveryRecord) =>
    one.appId === call.app.id &&
    one.outcome !== 'queued' &&
    one.outcome !== 'sent' &&
    one.queuedAt.getTime() >= since;
  return call.world.deliveries.filter(shown).reverse();
}

/** The words of a parameter, one of which it has to be where it is there. */
function choice(call: AppCall, name: string, choices: readonly string[]): string | null {
  const value = call.query.get(name);
  if (value === null || choices.includes(value)) return value;
  throw problem(422, `Invalid request.\n\n'${name}' must be one of: ${choices.join(', ')}.`);
}

function matching(call: AppCall): DeliveryRecord[] {
  const status = choice(call, 'status', ['success', 'failure']);
  return kept(call).filter((one) => status === null || (status === 'success') === succeeded(one));
}

function list(call: AppCall): Reply {
  const size = Math.min(Number(call.query.get('per_page')) || 30, 100);
  const cursor = /^v1_(\d+)$/.exec(call.query.get('cursor') ?? 'v1_0')?.[1];
  if (cursor === undefined) throw problem(422, "Invalid request.\n\n'cursor' is invalid.");
  const from = Number(cursor) || Number.POSITIVE_INFINITY;
  const rest = matching(call).filter((one) => one.id < from);
  const page = rest.slice(0, size);
  const query = new URLSearchParams(call.query);
  query.set('cursor', `v1_${page.at(-1)?.id}`);
  const link = `<${api(call.world)}/app/hook/deliveries?${query.toString()}>; rel="next"`;
  return ok(page.map(shortDelivery), rest.length > size ? { link } : {});
}

function one(call: AppCall): DeliveryRecord {
  const found = kept(call).find((delivery) => delivery.id === Number(call.params.delivery_id));
  if (!found) throw notFound();
  return found;
}

function full(call: AppCall): Reply {
  const delivery = one(call);
  return ok({
    ...shortDelivery(delivery),
    url: call.app.webhookUrl ?? '',
    request: { headers: delivery.requestHeaders, payload: delivery.payload },
    response: { headers: delivery.responseHeaders, payload: '' },
  });
}

function attempt(call: AppCall): Reply {
  const { event, installationId, repositoryId, payload, guid } = one(call);
  deliver(call.world, call.app, { event, installationId, repositoryId, payload, guid, redelivery: true });
  return { status: 202, body: {} };
}

/** The App's webhook address and its deliveries. */
export const hookRoutes: readonly Route[] = [
  appRoute('GET /app/hook/config', ({ app }) => {
    const url = app.webhookUrl === null ? {} : { url: app.webhookUrl };
    return ok({ content_type: 'json', insecure_ssl: '0', secret: '********', ...url });
  }),
  appRoute('GET /app/hook/deliveries', list),
  appRoute('GET /app/hook/deliveries/{delivery_id}', full),
  appRoute('POST /app/hook/deliveries/{delivery_id}/attempts', attempt),
];
