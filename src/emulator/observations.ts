import type { WebhookSender } from './delivery-queue.ts';
import type { Emulator } from './emulator.ts';
import { deliver } from './events.ts';
import { snapshot } from './snapshot.ts';
import { now, type World } from './state.ts';
import { postWebhook, webhookHeaders } from './webhooks.ts';

type Observations = Pick<
  Emulator,
  | 'advanceClock'
  | 'state'
  | 'requests'
  | 'deliveries'
  | 'installationTokens'
  | 'redeliver'
  | 'sendWebhook'
  | 'idle'
>;

function isLive(world: World, secret: string): boolean {
  const token = world.tokens.get(secret);
  return token?.kind === 'installation' && token.expiresAt > now(world);
}

/** What a test sees of the emulator, its clock, and webhooks by hand. */
export function observations(world: World, sender: WebhookSender): Observations {
  return {
    advanceClock(milliseconds) {
      world.clockShiftMs += milliseconds;
    },
    state: () => snapshot(world),
    requests: () => world.requests,
    deliveries: () => world.deliveries,
    installationTokens: () =>
      world.minted.map((record) => ({
        ...record,
        live: isLive(world, record.secret),
        used: world.usedTokens.has(record.secret),
      })),
    async redeliver(guid) {
      const old = world.deliveries.findLast((one) => one.guid === guid);
      const app = old && world.apps.get(old.appId);
      if (!old || !app) throw new Error(`the emulator has no delivery ${guid}`);
      const { event, installationId, repositoryId, payload } = old;
      deliver(world, app, { event, installationId, repositoryId, payload, guid, redelivery: true });
      await sender.idle();
    },
    async sendWebhook({ appId, event, body, guid, headers = {} }) {
      const app = world.apps.get(appId);
      if (!app?.webhookUrl) throw new Error(`App ${appId} has no webhook address`);
      const bytes = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
      const all = { ...webhookHeaders(app, { event, guid }, bytes), ...headers };
      const kept = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''));
      return (await postWebhook({ url: app.webhookUrl, body: bytes, headers: kept })).status;
    },
    idle: () => sender.idle(),
  };
}
