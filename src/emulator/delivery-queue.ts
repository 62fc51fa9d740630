// Race ledger
// - two events at once: each App has one queue and one connection, so its deliveries leave in the order they were put in.
// - a slow receiver: a delivery is given up after 10 s and the queue goes on; nothing is ever sent again by itself.
// - a delivery that is held back: it leaves once enough later ones have left or its time is over, whichever is first, and only once.
// - close while a delivery is under way: its request is cut and the delivery is marked failed.
import { Agent, type ClientRequest } from 'node:http';
import type { DeliveryRecord, EmulatorHooks, SendDecision } from './records.ts';
import type { App } from './state.ts';
import { postWebhook, webhookHeaders } from './webhooks.ts';

export interface WebhookSender {
  /** Puts a delivery at the end of its App's queue. */
  send(app: App, delivery: DeliveryRecord): void;
  /** Resolves when nothing is queued or under way. */
  idle(): Promise<void>;
  close(): void;
}

interface Held {
  readonly delivery: DeliveryRecord;
  readonly timer: NodeJS.Timeout;
  overtakenBy: number;
}

interface Queue {
  readonly agent: Agent;
  readonly waiting: { readonly delivery: DeliveryRecord; readonly decided: boolean }[];
  readonly held: Set<Held>;
  running: boolean;
}

interface Sending {
  readonly hooks: EmulatorHooks;
  /** The emulator's clock. */
  now(): Date;
  readonly queues: Map<number, Queue>;
  readonly underWay: Set<ClientRequest>;
  readonly idlers: (() => void)[];
  closed: boolean;
}

/** Makes the sender of all webhooks; each delivery's record is completed in place. */
export function createSender(hooks: EmulatorHooks, now: () => Date): WebhookSender {
  const sending: Sending = { hooks, now, queues: new Map(), underWay: new Set(), idlers: [], closed: false };
  return {
    send(app, delivery) {
      const queue = queueOf(sending, app);
      queue.waiting.push({ delivery, decided: false });
      if (!queue.running) void run(sending, app, queue);
    },
    idle() {
      if (!busy(sending)) return Promise.resolve();
      return new Promise((resolve) => sending.idlers.push(resolve));
    },
    close() {
      sending.closed = true;
      for (const request of sending.underWay) request.destroy();
      for (const queue of sending.queues.values()) {
        for (const held of queue.held) clearTimeout(held.timer);
        queue.agent.destroy();
      }
    },
  };
}

function busy(sending: Sending): boolean {
  return [...sending.queues.values()].some((queue) => queue.running || queue.held.size > 0);
}

function queueOf(sending: Sending, app: App): Queue {
  const known = sending.queues.get(app.id);
  if (known) return known;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const queue: Queue = { agent, waiting: [], held: new Set(), running: false };
  sending.queues.set(app.id, queue);
  return queue;
}

async function run(sending: Sending, app: App, queue: Queue): Promise<void> {
  queue.running = true;
  for (let next = queue.waiting.shift(); next; next = queue.waiting.shift()) {
    const { delivery, decided } = next;
    const decision = decided ? 'send' : (sending.hooks.beforeSend?.(delivery) ?? 'send');
    if (typeof decision === 'object' && 'holdBack' in decision) {
      holdBack({ sending, app, queue }, delivery, decision);
      continue;
    }
    await deliver(sending, app, { delivery, decision });
    if (!decided) for (const held of queue.held) overtake({ sending, app, queue }, held);
  }
  queue.running = false;
  if (busy(sending)) return;
  for (const resolve of sending.idlers.splice(0)) resolve();
}

interface Lane {
  readonly sending: Sending;
  readonly app: App;
  readonly queue: Queue;
}

function holdBack(
  lane: Lane,
  delivery: DeliveryRecord,
  { holdBack: count, atMostMs = 100 }: { holdBack: number; atMostMs?: number },
): void {
  const timer = setTimeout(() => letGo(lane, held), atMostMs);
  delivery.throttledAt = lane.sending.now();
  const held: Held = { delivery, timer, overtakenBy: count };
  lane.queue.held.add(held);
}

function overtake(lane: Lane, held: Held): void {
  held.overtakenBy -= 1;
  if (held.overtakenBy <= 0) letGo(lane, held);
}

function letGo({ sending, app, queue }: Lane, held: Held): void {
  clearTimeout(held.timer);
  queue.held.delete(held);
  queue.waiting.unshift({ delivery: held.delivery, decided: true });
  if (!queue.running) void run(sending, app, queue);
}

type Sent = Exclude<SendDecision, { holdBack: number }>;

async function deliver(
  sending: Sending,
  app: App,
  { delivery, decision }: { delivery: DeliveryRecord; decision: Sent },
): Promise<void> {
  if (decision === 'drop' || decision === 'lose') {
    delivery.outcome = decision === 'drop' ? 'dropped' : 'lost';
    return;
  }
  if (typeof decision === 'object') {
    delivery.throttledAt = sending.now();
    await new Promise((resolve) => setTimeout(resolve, decision.delayMs));
  }
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
  delivery.requestHeaders = webhook.headers;
  const receipt = await postWebhook(webhook, {
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
  delivery.status = receipt.status;
  delivery.responseHeaders = receipt.headers;
  delivery.durationMs = performance.now() - started;
  const ok = delivery.status !== null && delivery.status >= 200 && delivery.status < 300;
  delivery.outcome = ok ? 'delivered' : 'failed';
}
