import { deliver } from '../events.ts';
import { api } from '../payloads/accounts.ts';
import type { DeliveryRecord } from '../records.ts';
import { notFound, ok, type Reply } from '../reply.ts';
import { type AppCall, appRoute, type Route } from './call.ts';

function shortDelivery(delivery: DeliveryRecord): Record<string, unknown> {
  const answered = delivery.status !== null;
  return {
    id: delivery.id,
    guid: delivery.guid,
    delivered_at: new Date(delivery.sentAt || Date.now()).toISOString(),
    redelivery: delivery.redelivery,
    duration: delivery.durationMs / 1000,
    status:
      delivery.outcome === 'delivered'
        ? 'OK'
        : answered
          ? `Invalid HTTP Response: ${delivery.status}`
          : 'failed to connect to host',
    status_code: delivery.status ?? 0,
    event: delivery.event,
    action: delivery.action,
    installation_id: delivery.installationId,
    repository_id: delivery.repositoryId,
    throttled_at: null,
  };
}

/** Attempts that are over, newest first. */
function ended(call: AppCall): DeliveryRecord[] {
  const over = (one: DeliveryRecord) => one.outcome !== 'queued' && one.outcome !== 'sent';
  return call.world.deliveries.filter((one) => one.appId === call.app.id && over(one)).reverse();
}

function list(call: AppCall): Reply {
  const size = Math.min(Number(call.query.get('per_page')) || 30, 100);
  const wanted = call.query.get('status');
  const matching = ended(call).filter(
    (one) => wanted === null || (wanted === 'success') === (one.outcome === 'delivered'),
  );
  const cursor = Number(call.query.get('cursor')) || Number.POSITIVE_INFINITY;
  const rest = matching.filter((one) => one.id < cursor);
  const page = rest.slice(0, size);
  const query = new URLSearchParams(call.query);
  query.set('cursor', String(page.at(-1)?.id));
  const more = rest.length > size;
  return ok(
    page.map(shortDelivery),
    more ? { link: `<${api(call.world)}/app/hook/deliveries?${query.toString()}>; rel="next"` } : {},
  );
}

function one(call: AppCall): DeliveryRecord {
  const found = ended(call).find((delivery) => delivery.id === Number(call.params.delivery_id));
  if (!found) throw notFound();
  return found;
}

/** The App's webhook address and its deliveries. */
export const hookRoutes: readonly Route[] = [
  appRoute('GET /app/hook/config', (call) =>
    ok({ content_type: 'json', insecure_ssl: '0', secret: '********', url: call.app.webhookUrl }),
  ),
  appRoute('GET /app/hook/deliveries', list),
  appRoute('GET /app/hook/deliveries/{delivery_id}', (call) => {
    const delivery = one(call);
    const request = { headers: {}, payload: delivery.payload };
    return ok({
      ...shortDelivery(delivery),
      url: call.app.webhookUrl,
      request,
      response: { headers: {}, payload: '' },
    });
  }),
  appRoute('POST /app/hook/deliveries/{delivery_id}/attempts', (call) => {
    const { event, installationId, repositoryId, payload, guid } = one(call);
    deliver(call.world, call.app, { event, installationId, repositoryId, payload, guid, redelivery: true });
    return { status: 202, body: {} };
  }),
];
