import { randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { recordClaim, sized } from '../harness/claims.ts';
import { type ChildApp, type Line, openLine } from '../harness/line.ts';
import { forgetPeak, residentMemory } from '../harness/process-memory.ts';
import { chunkOf, headOf, pour, rawConnect } from '../harness/raw-http.ts';
import { until } from '../harness/until.ts';
import { sign, signedPost } from '../harness/webhook-examples.ts';

const MIB = 1024 * 1024;
const FORGED = `sha256=${'0'.repeat(64)}`;

let line: Line;
let app: ChildApp;
let url: string;

beforeAll(async () => {
  line = await openLine({ env: { LOG_LEVEL: 'info', ROLE: 'web' } });
  app = await line.startChild();
  url = `${app.url}/api/github/webhooks`;
});
afterAll(() => line.close());

const head = (headers: Record<string, string>) =>
  headOf(url, { 'x-github-delivery': randomUUID(), 'x-github-event': 'issues', ...headers });

const good = () =>
  signedPost(url, line.webhookSecret, { guid: randomUUID(), event: 'star', body: '{"action":"created"}' });

const logBytes = async () => (await stat(line.logFile)).size;
const rows = async () => (await line.database.db('deliveries').select('guid')).length;

describe('a body of 60 MB', () => {
  const block = Buffer.alloc(MIB, 0x61);
  /** What follows is no request: the connection may be gone before the answer is read. */
  const CUT = [0, 400, 401];
  const huge = String(60 * MIB);
  const whole = Buffer.alloc(26 * MIB, 0x61);

  test.each([
    ['without a signature', { 'content-length': huge }, block, [401]],
    ['with a forged one', { 'content-length': huge, 'x-hub-signature-256': FORGED }, block, [413]],
    [
      'in chunks of unknown number',
      { 'transfer-encoding': 'chunked', 'x-hub-signature-256': FORGED },
      chunkOf(block),
      [413],
    ],
    ['that claims to be 100 bytes', { 'content-length': '100', 'x-hub-signature-256': FORGED }, block, CUT],
    [
      'with both ways to tell its length',
      { 'content-length': '100', 'transfer-encoding': 'chunked', 'x-hub-signature-256': FORGED },
      chunkOf(block),
      CUT,
    ],
  ])('%s is refused, and costs no memory and no log', async (what, headers, bytes, expected) => {
    expect(await good()).toBe(202);
    const [before, kept, log] = [await residentMemory(app.pid), await rows(), await logBytes()];
    await forgetPeak(app.pid);
    const raw = rawConnect(url);
    raw.socket.write(head(headers));
    await pour(raw, bytes, 60 * MIB);
    expect(expected).toContain(await raw.status);
    raw.socket.destroy();
    expect(await good()).toBe(202);
    const more = (await residentMemory(app.pid)).peak - before.now;
    expect(more).toBeLessThan(64);
    const written = (await logBytes()) - log;
    expect(written).toBeLessThan(2048);
    expect(await rows()).toBe(kept + 1);
    recordClaim({
      claim: `a body of 60 MB ${what} is refused`,
      figure: `${await raw.status}, memory +${more.toFixed(0)} MiB, log ${written} bytes`,
    });
  });

  test('of 26 MiB is refused with 413 though its signature is good', async () => {
    const [before, log] = [await residentMemory(app.pid), await logBytes()];
    await forgetPeak(app.pid);
    const headers = {
      'content-length': String(whole.length),
      'x-hub-signature-256': sign(whole, line.webhookSecret),
    };
    const raw = rawConnect(url);
    raw.socket.write(head(headers));
    raw.socket.write(whole);
    expect(await raw.status).toBe(413);
    raw.socket.destroy();
    expect((await residentMemory(app.pid)).peak - before.now).toBeLessThan(64);
    expect((await logBytes()) - log).toBeLessThan(2048);
  });
});

// Skipped in the ordinary suite: it takes as long as the limits that it holds: a head has 8 s, a webhook's body 8 s and a moment to read the answer.
const unhurried = sized(describe.skip, describe);

unhurried('500 connections that drip', () => {
  const SOCKETS = 250;
  const CLOSED_MS = 10_000;

  test('are closed within 10 s, and others do not feel them', async () => {
    const calm = await latencies(200);
    const ends: Promise<number>[] = [];
    const drips: NodeJS.Timeout[] = [];
    for (let index = 0; index < 2 * SOCKETS; index += 1) {
      const raw = rawConnect(url);
      const began = performance.now();
      const inHead = index % 2 === 0;
      raw.socket.write(
        inHead
          ? 'POST /api/github/webhooks HTTP/1.1\r\nhost: x\r\n'
          : head({ 'content-length': '100000', 'x-hub-signature-256': FORGED }),
      );
      drips.push(setInterval(() => raw.socket.write(inHead ? 'x-drip: 1\r\n' : '{'), 500));
      ends.push(raw.closed.then(() => performance.now() - began));
    }
    const others = await latencies(200);
    const closed = await Promise.all(ends);
    for (const drip of drips) clearInterval(drip);
    const longest = Math.max(...closed);
    expect(longest).toBeLessThan(CLOSED_MS);
    expect(others.p99).toBeLessThan(calm.p99 * 3 + 100);
    expect(await good()).toBe(202);
    recordClaim({
      claim: '500 slow-loris connections are closed and others do not feel them',
      figure: `longest ${(longest / 1000).toFixed(1)} s; p99 of others ${others.p99.toFixed(0)} ms, before ${calm.p99.toFixed(0)} ms`,
    });
  }, 60_000);
});

async function latencies(count: number): Promise<{ p99: number; max: number }> {
  const times: number[] = [];
  for (let sent = 0; sent < count; sent += 1) {
    const began = performance.now();
    expect(await good()).toBe(202);
    times.push(performance.now() - began);
  }
  return percentiles(times);
}

function percentiles(times: number[]): { p99: number; max: number } {
  const sorted = times.toSorted((a, b) => a - b);
  return { p99: sorted[Math.floor(sorted.length * 0.99)]!, max: sorted.at(-1)! };
}

describe('32 deliveries at a time', () => {
  const EACH = sized(5, 300);
  // A loaded machine has no say about latency in the ordinary suite.
  const P99_MS = sized(2_000, 250);

  test('are each committed and answered soon', async () => {
    const body = JSON.stringify({ action: 'created', filler: 'x'.repeat(12_700) });
    const times: number[] = [];
    const before = await rows();
    const send = async () => {
      for (let sent = 0; sent < EACH; sent += 1) {
        const began = performance.now();
        const delivery = { guid: randomUUID(), event: 'star', body };
        expect(await signedPost(url, line.webhookSecret, delivery)).toBe(202);
        times.push(performance.now() - began);
      }
    };
    await Promise.all(Array.from({ length: 32 }, send));
    await until(async () => (await rows()) === before + 32 * EACH);
    const { p99, max } = percentiles(times);
    expect(p99).toBeLessThan(P99_MS);
    expect(max).toBeLessThan(2_000);
    recordClaim({
      claim: '32 deliveries of 12.7 KB at a time are committed before they are answered',
      figure: `${times.length} sent, p99 ${p99.toFixed(0)} ms, max ${max.toFixed(0)} ms`,
    });
  }, 120_000);
});
