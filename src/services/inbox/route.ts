import type { Route, UnroutedDelivery } from '../../db/deliveries.ts';
import type { Dispatcher } from './dispatch.ts';
import { actionOf, installationOf, laneOf } from './lane.ts';
import { readPayload } from './read.ts';

/** Where a delivery goes: into its lane, or to its end if nothing here handles it or nobody can read it. */
export function routeOf(delivery: UnroutedDelivery, handles: Dispatcher['handles']): Route {
  const { guid, event } = delivery;
  const payload = readPayload(delivery.bytes);
  if (!payload) {
    const nothing = { lane: null, action: null, installationId: null };
    return { guid, ...nothing, state: 'unreadable', reason: 'the body is no JSON object' };
  }
  const action = actionOf(payload);
  const route = { guid, lane: laneOf(payload), action, installationId: installationOf(payload) };
  if (handles(event, action)) return { ...route, state: 'pending', reason: null };
  const name = action === null ? event : `${event}.${action}`;
  return { ...route, state: 'ignored', reason: `nothing here handles ${name}` };
}
