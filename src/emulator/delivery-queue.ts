// Race ledger
// - two events at once: each App has one queue and one connection, so its deliveries leave in the order they were put in.
// - a slow receiver: a delivery is given up after 10 s and the queue goes on; nothing is ever sent again by itself.
// - close while a delivery is under way: its request is cut and the delivery is marked failed.
import { Agent, type ClientRequest } from 'node:http';
import type { DeliveryRecord, EmulatorHooks } from './records.ts';
import type { App } from './state.ts';
import { postWebhook, webhookHeaders } from './webhooks.ts';

export interface WebhookSender {
  /** Puts a delivery at the end of its App's queue. */
  send(app: App, delivery: DeliveryRecord): void;
  /** Resolves when nothing is queued or under way. */
  idle(): Promise<void>;
  close(): void;
}

interface Queue {
  readonly agent: Agent;
  readonly waiting: DeliveryRecord[];
  running: boolean;
}

interface Sending {
  readonly hooks: EmulatorHooks;
  readonly queues: Map<number, Queue>;
  readonly underWay: Set<ClientRequest>;
  readonly idlers: (() => void)[];
  closed: boolean;
}

/** Makes the sender of all webhooks; each delivery's record is completed in place. */
export function createSender(hooks: EmulatorHooks): WebhookSender {
  const sending: Sending = { hooks, queues: new Map(), underWay: new Set(), idlers: [], closed: false };
  return {
    send(app, delivery) {
      const queue = queueOf(sending, app);
      queue.waiting.push(delivery);
      if (!queue.running) void run(sending, app, queue);
    },
    idle() {
      if (!busy(sending)) return Promise.resolve();
      return new Promise((resolve) => sending.idlers.push(resolve));
    },
    close() {
      sending.closed = true;
      for (const request of sending.underWay) request.destroy();
      for (const queue of sending.queues.values()) queue.agent.destroy();
    },
  };
}

function busy(sending: Sending): boolean {
  return [...sending.queues.values()].some((queue) => queue.running);
}

function queueOf(sending: Sending, app: App): Queue {
  const known = sending.queues.get(app.id);
  if (known) return known;
  const queue = { agent: new Agent({ keepAlive: true, maxSockets: 1 }), waiting: [], running: false };
  sending.queues.set(app.id, queue);
  return queue;
}

async function run(sending: Sending, app: App, queue: Queue): Promise<void> {
  queue.running = true;
  for (let next = queue.waiting.shift(); next; next = queue.waiting.shift())
    await deliver(sending, app, next);
  queue.running = false;
  if (busy(sending)) return;
  for (const resolve of sending.idlers.splice(0)) resolve();
}

async function deliver(sending: Sending, app: App, delivery: DeliveryRecord): Promise<void> {
  const decision = sending.hooks.beforeSend?.(delivery) ?? 'send';
  if (decision === 'drop') {
    delivery.outcome = 'dropped';
    return;
  }
  if (typeof decision === 'object') await new Promise((resolve) => setTimeout(resolve, decision.delayMs));
  if (app.webhookUrl === null) delivery.outcome = 'unsent';
  else await attempt(sending, app, delivery);
  if (decision === 'duplicate') await attempt(sending, app, delivery);
}

async function attempt(sending: Sending, app: App, delivery: DeliveryRecord): Promise<void> {
  if (sending.closed || app.webhookUrl === null) {
    delivery.outcome = 'failed';
    return;
  }
  const body = JSON.stringify(delivery.payload);
  const webhook = { url: app.webhookUrl, body, headers: webhookHeaders(app, delivery, body) };
  const started = performance.now();
  delivery.status = await postWebhook(webhook, {
    agent: queueOf(sending, app).agent,
    onSend: () => {
      delivery.sentAt = performance.timeOrigin + performance.now();
      delivery.outcome = 'sent';
    },
    onRequest: (request) => {
      sending.underWay.add(request);
      request.on('close', () => sending.underWay.delete(request));
    },
  });
  delivery.durationMs = performance.now() - started;
  const ok = delivery.status !== null && delivery.status >= 200 && delivery.status < 300;
  delivery.outcome = ok ? 'delivered' : 'failed';
}
