import { randomUUID } from 'node:crypto';
import { installationJson, organizationJson, userJson } from './payloads/accounts.ts';
import { repositoryJson } from './payloads/repository.ts';
import type { DeliveryRecord } from './records.ts';
import {
  type Account,
  type App,
  accountOf,
  covers,
  type Installation,
  type Json,
  nextId,
  nodeId,
  now,
  type Repository,
  type World,
} from './state.ts';

export interface RepositoryEvent {
  readonly event: string;
  readonly action?: string;
  readonly sender: Account;
  /** Makes the event's own fields; called once, and only when somebody listens. */
  readonly build: () => Json | Promise<Json>;
}

/** Sends an event of a repository to each App that is installed there, is not suspended and subscribes to it. */
export async function emit(world: World, repo: Repository, event: RepositoryEvent): Promise<void> {
  const listeners = listenersOf(world, repo, event.event);
  if (listeners.length === 0) return;
  const own = await event.build();
  const owner = accountOf(world, repo.ownerId);
  for (const { app, installation } of listeners) {
    deliver(world, app, {
      event: event.event,
      installationId: installation.id,
      repositoryId: repo.id,
      payload: {
        ...(event.action ? { action: event.action } : {}),
        repository: repositoryJson(world, repo),
        ...own,
        ...(owner.type === 'Organization' ? { organization: organizationJson(world, owner) } : {}),
        sender: userJson(world, event.sender),
        installation: { id: installation.id, node_id: nodeId('IIN', installation.id) },
      },
    });
  }
}

function listenersOf(
  world: World,
  repo: Repository,
  event: string,
): { app: App; installation: Installation }[] {
  return [...world.installations.values()].flatMap((installation) => {
    const app = world.apps.get(installation.appId);
    if (!app || installation.suspendedAt || !covers(installation, repo)) return [];
    return installation.events.includes(event) ? [{ app, installation }] : [];
  });
}

/** Sends an event of an installation itself, which every App gets without subscribing. */
export function emitInstallation(
  world: World,
  installation: Installation,
  event: { event: string; action: string; sender: Account; fields: Json },
): void {
  const app = world.apps.get(installation.appId);
  if (!app) return;
  deliver(world, app, {
    event: event.event,
    installationId: installation.id,
    repositoryId: null,
    payload: {
      action: event.action,
      installation: installationJson(world, installation),
      ...event.fields,
      sender: userJson(world, event.sender),
    },
  });
}

type NewDelivery = Pick<DeliveryRecord, 'event' | 'installationId' | 'repositoryId' | 'payload'> & {
  guid?: string;
  redelivery?: boolean;
};

/** Records a delivery and puts it into its App's queue; its payload is frozen as it is now. */
export function deliver(world: World, app: App, fresh: NewDelivery): DeliveryRecord {
  const delivery: DeliveryRecord = {
    id: nextId(world),
    guid: fresh.guid ?? randomUUID(),
    appId: app.id,
    installationId: fresh.installationId,
    repositoryId: fresh.repositoryId,
    event: fresh.event,
    action: typeof fresh.payload.action === 'string' ? fresh.payload.action : null,
    payload: structuredClone(fresh.payload),
    redelivery: fresh.redelivery ?? false,
    queuedAt: now(world),
    throttledAt: null,
    sentAt: 0,
    status: null,
    durationMs: 0,
    requestHeaders: {},
    responseHeaders: {},
    outcome: 'queued',
  };
  world.deliveries.push(delivery);
  world.send(app, delivery);
  return delivery;
}
