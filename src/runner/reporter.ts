/**
 * Sends events in order, in batches, one in flight, until they are acknowledged.
 *
 * Races
 * - An acknowledgement is lost → the same batch goes out again with the same numbers; the gateway stores each once.
 * - Events arrive while a batch is under way → they wait for the next one; order is the order of `emit`.
 * - The gateway is away for long → heartbeats are not repeated in the queue, chatter beyond the bound is dropped
 *   before it gets a number (numbers stay without gaps) and one event tells how many.
 * - A batch is refused for good → it goes out once more without its data; refused again, the runner stops, since
 *   nothing after it could be stored either.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type Answer, backoffMs } from './client.ts';
import type { Emit } from './context.ts';
import { fitData, jsonBytes } from './fit.ts';
import { LIMITS } from './limits.ts';
import type { EventAck, EventBatch, RunEvent } from './protocol.ts';

export interface Reporter {
  readonly emit: Emit;
  /** Starts sending. */
  start(transport: Transport): void;
  /** Resolves when everything emitted so far is stored, or after `ms` milliseconds. */
  flush(ms: number): Promise<void>;
}

export interface Transport {
  send(batch: EventBatch): Promise<Answer>;
  onMessages(messages: EventAck['messages']): void;
  /** The gateway refuses for good or says stop; nothing is sent after this. */
  onStop(reason: 'stale' | 'refused'): void;
}

/** Events that wait; chatter beyond it is dropped. */
const QUEUE_EVENTS = 5_000;
/** Between two batches, milliseconds: an agent that talks a lot makes larger batches, not more of them. */
const PAUSE_MS = 50;
/** Room for the batch's own punctuation and an event's fixed fields, bytes. */
const EVENT_OVERHEAD = 400;

const CHATTER: ReadonlySet<RunEvent['type']> = new Set([
  'agent.session',
  'agent.text',
  'agent.tool',
  'agent.usage',
  'agent.retry',
]);

interface State {
  readonly queue: RunEvent[];
  seq: number;
  dropped: number;
  /** What is refused is sent without data. */
  bare: boolean;
  failures: number;
  wake: () => void;
  /** Ends the pause between two batches early. */
  hurry: () => void;
  drained: (() => void)[];
}

/** Creates the queue; events may be emitted before `start`. */
export function createReporter(): Reporter {
  const state: State = {
    queue: [],
    seq: 0,
    dropped: 0,
    bare: false,
    failures: 0,
    wake: () => {},
    hurry: () => {},
    drained: [],
  };
  return {
    emit: (type, data, stepId = null) => enqueue(state, type, { data, stepId }),
    start: (transport) => void pump(state, transport),
    flush: (ms) =>
      state.queue.length === 0
        ? Promise.resolve()
        : Promise.race([drained(state), delay(ms, undefined, { ref: false })]),
  };
}

function drained(state: State): Promise<void> {
  return new Promise((resolve) => {
    state.drained.push(resolve);
    state.hurry();
  });
}

function enqueue(
  state: State,
  type: RunEvent['type'],
  event: { data: RunEvent['data']; stepId: string | null },
): void {
  if (type === 'heartbeat' && state.queue.at(-1)?.type === 'heartbeat') return;
  if (CHATTER.has(type) && state.queue.length >= QUEUE_EVENTS) {
    state.dropped += 1;
    return;
  }
  if (state.dropped > 0 && state.queue.length < QUEUE_EVENTS) {
    const message = `${state.dropped} events were dropped because the gateway was away`;
    state.dropped = 0;
    push(state, 'agent.error', { data: { message }, stepId: event.stepId });
  }
  push(state, type, event);
}

function push(
  state: State,
  type: RunEvent['type'],
  event: { data: RunEvent['data']; stepId: string | null },
): void {
  state.seq += 1;
  const data = fitData(event.data, LIMITS.eventBytes);
  state.queue.push({ seq: state.seq, at: new Date().toISOString(), type, stepId: event.stepId, data });
  state.wake();
}

async function pump(state: State, transport: Transport): Promise<void> {
  for (;;) {
    if (state.queue.length === 0) {
      await new Promise<void>((resolve) => {
        state.wake = resolve;
      });
      // Whatever is emitted in the same turn travels in one batch.
      await delay(0);
    }
    const answer = await transport.send({ events: nextBatch(state.queue, state.bare) });
    if (!(await settle(state, answer, transport))) return;
  }
}

/** Handles the answer to a batch; false when nothing may be sent any more. */
async function settle(state: State, answer: Answer, transport: Transport): Promise<boolean> {
  switch (answer.kind) {
    case 'ok':
      acknowledge(state, answer.body as EventAck, transport);
      if (state.drained.length === 0) await pause(state);
      return true;
    case 'unclear':
      state.failures += 1;
      await delay(backoffMs(state.failures));
      return true;
    case 'stale':
      transport.onStop('stale');
      return false;
    case 'refused':
      if (state.bare) {
        transport.onStop('refused');
        return false;
      }
      state.bare = true;
      return true;
  }
}

function pause(state: State): Promise<void> {
  const hurried = new Promise<void>((resolve) => {
    state.hurry = resolve;
  });
  return Promise.race([hurried, delay(PAUSE_MS)]);
}

function acknowledge(state: State, ack: EventAck, transport: Transport): void {
  state.failures = 0;
  state.bare = false;
  while (state.queue[0] !== undefined && state.queue[0].seq <= ack.acked) state.queue.shift();
  if (state.queue.length === 0) for (const resolve of state.drained.splice(0)) resolve();
  transport.onMessages(ack.messages);
}

/** The longest run of events from the front that keeps both caps. */
export function nextBatch(queue: readonly RunEvent[], bare: boolean): RunEvent[] {
  const batch: RunEvent[] = [];
  let bytes = 0;
  for (const event of queue.slice(0, LIMITS.batchEvents)) {
    bytes += jsonBytes(event.data) + EVENT_OVERHEAD;
    if (bytes > LIMITS.batchBytes) break;
    batch.push(bare ? { ...event, data: { refused: true } } : event);
  }
  return batch;
}
