/**
 * The sender of `bench:ingress`, a process of its own: `node bench/ingress-load.ts '{"url":…,"secret":…}'`. Raw
 * sockets and requests built before the start, each with a GUID of its own; a connection sends its next request when
 * it has the answer. Ends by itself and prints one line of JSON.
 */
import { randomInt } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { sign } from '../test/harness/webhook-examples.ts';
import { issueBodies } from './parts/deliveries.ts';
import { quantile } from './parts/statistics.ts';

export interface LoadOrder {
  readonly url: string;
  readonly secret: string;
  readonly connections: number;
  readonly warmupMs: number;
  readonly measureMs: number;
}

export interface LoadResult {
  /** Answers a second while it was measured, and their times in milliseconds. */
  readonly rps: number;
  readonly p50: number;
  readonly p99: number;
  /** Answers by status, warm-up included. */
  readonly statuses: Readonly<Record<string, number>>;
}

const BODIES = 256;
const MAX_SAMPLES = 1_000_000;

async function main(order: LoadOrder): Promise<LoadResult> {
  const { hostname, port } = new URL(order.url);
  const templates = issueBodies('labeled', BODIES).map((body) => requestOf(order, body));
  const statuses: Record<string, number> = {};
  const samples = new Float64Array(MAX_SAMPLES);
  let taken = 0;
  const nextGuid = guids();
  const begin = performance.now() + order.warmupMs;
  const end = begin + order.measureMs;
  const finished = Array.from({ length: order.connections }, (_, i) => {
    const own = templates.filter((_template, j) => j % order.connections === i);
    return keepSending(connect({ port: Number(port), host: hostname, noDelay: true }), {
      next: (turn) => nextGuid(own[turn % own.length]!),
      done(status, sentAt) {
        const now = performance.now();
        statuses[status] = (statuses[status] ?? 0) + 1;
        if (sentAt >= begin && now <= end && taken < MAX_SAMPLES) samples[taken++] = now - sentAt;
        return now < end;
      },
    });
  });
  await Promise.all(finished);
  const sorted = samples.subarray(0, taken).sort();
  const rps = taken / (order.measureMs / 1000);
  return { rps, p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), statuses };
}

interface Template {
  readonly bytes: Buffer;
  readonly guidAt: number;
}

const NO_GUID = '00000000-0000-4000-8000-000000000000';

function requestOf({ url, secret }: LoadOrder, body: Buffer): Template {
  const { host, pathname } = new URL(url);
  const head = [
    `POST ${pathname} HTTP/1.1`,
    `Host: ${host}`,
    'User-Agent: GitHub-Hookshot/bench',
    'Accept: */*',
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    'X-GitHub-Hook-ID: 1',
    'X-GitHub-Event: issues',
    `X-GitHub-Delivery: ${NO_GUID}`,
    'X-GitHub-Hook-Installation-Target-Type: integration',
    'X-GitHub-Hook-Installation-Target-ID: 1',
    `X-Hub-Signature-256: ${sign(body, secret)}`,
    '\r\n',
  ].join('\r\n');
  return { bytes: Buffer.concat([Buffer.from(head), body]), guidAt: head.indexOf(NO_GUID) };
}

/** Writes a GUID that was not used before into a request; in no order, so that no index is favoured. */
function guids(): (template: Template) => Buffer {
  const run = randomInt(2 ** 32 - 1);
  let count = 0;
  return ({ bytes, guidAt }) => {
    count += 1;
    bytes.write(hex(Math.imul(count, 0x9e3779b1) >>> 0), guidAt, 'latin1');
    bytes.write(hex(run), guidAt + 24, 'latin1');
    return bytes;
  };
}

const hex = (value: number) => value.toString(16).padStart(8, '0');

interface Sender {
  next(turn: number): Buffer;
  /** Answers whether to go on. */
  done(status: string, sentAt: number): boolean;
}

/** Sends one request after the other; a request's buffer is free again once its answer is there. */
function keepSending(socket: Socket, sender: Sender): Promise<void> {
  return new Promise((resolve, reject) => {
    let turn = 0;
    let sentAt = 0;
    let held = '';
    const send = () => {
      sentAt = performance.now();
      socket.write(sender.next(turn));
      turn += 1;
    };
    socket.once('connect', send);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the server hung up')));
    socket.on('data', (chunk: Buffer) => {
      held += chunk.toString('latin1');
      if (!isWhole(held)) return;
      const status = held.slice(9, 12);
      held = '';
      if (sender.done(status, sentAt)) return send();
      socket.removeAllListeners('close').end();
      resolve();
    });
  });
}

function isWhole(answer: string): boolean {
  const headEnd = answer.indexOf('\r\n\r\n');
  if (headEnd === -1) return false;
  const length = /content-length: (\d+)/i.exec(answer)?.[1];
  return length === undefined ? answer.endsWith('0\r\n\r\n') : answer.length >= headEnd + 4 + Number(length);
}

process.stdout.write(`${JSON.stringify(await main(JSON.parse(process.argv[2]!) as LoadOrder))}\n`);
