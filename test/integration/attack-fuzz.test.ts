import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { recordClaim, sized } from '../harness/claims.ts';
import { type Hostile, hostileBodies, hostileHeader } from '../harness/hostile-bodies.ts';
import { type ChildApp, type Line, openLine } from '../harness/line.ts';
import { residentMemory } from '../harness/process-memory.ts';
import { seeded } from '../harness/random.ts';
import { headOf, rawConnect, statusesIn } from '../harness/raw-http.ts';
import { until } from '../harness/until.ts';
import { sign, signedPost } from '../harness/webhook-examples.ts';

const BODIES = sized(200, 90_000);
const HEADS = sized(50, 10_000);
const BATCH = 500;
const SENDERS = 16;
/** For a batch to be handled on a machine that has other work; how fast it is, the benchmarks say. */
const DRAIN_MS = 120_000;

let line: Line;
let app: ChildApp;
let url: string;
const agent = new Agent({ keepAlive: true, maxSockets: SENDERS });

beforeAll(async () => {
  line = await openLine({ env: { LOG_LEVEL: 'info' } });
  // Some of the bodies make the App ask GitHub, more often than its limits would allow in so short a time.
  const limits = { core: 1e9, graphql: 1e9, anonymous: 1e9 };
  Object.assign(line.github.hooks, { limits, secondaryLimits: null });
  app = await line.startChild();
  url = `${app.url}/api/github/webhooks`;
});
afterAll(async () => {
  agent.destroy();
  await line.close();
});

function post({ event, body }: Hostile, signature: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', agent }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode!));
    });
    sent.on('error', reject);
    sent.setHeader('x-github-delivery', randomUUID());
    sent.setHeader('x-github-event', event);
    sent.setHeader('x-hub-signature-256', signature);
    sent.end(body);
  });
}

/** Sends a batch, each body once signed and some once forged, and counts the answers of both. */
async function sendAll(batch: readonly Hostile[], counts: Map<string, number>): Promise<void> {
  const waiting = batch.entries();
  const count = (key: string) => counts.set(key, (counts.get(key) ?? 0) + 1);
  const send = async () => {
    for (const [index, hostile] of waiting) {
      count(`signed ${await post(hostile, sign(hostile.body, line.webhookSecret))}`);
      if (index % 10 === 0) count(`forged ${await post(hostile, sign(hostile.body, 'somebody else'))}`);
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, send));
}

const pending = () => line.database.db('deliveries').where({ state: 'pending' }).first();

test(
  'hostile bodies, signed or not, bring down nothing, and each signed one ends with a reason',
  () =>
    seeded(async ({ seed }) => {
      const counts = new Map<string, number>();
      const kinds = hostileBodies();
      const before = (await residentMemory(app.pid)).now;
      for (let done = 0; done < BODIES; done += BATCH) {
        const size = Math.min(BATCH, BODIES - done);
        await sendAll(fc.sample(kinds, { numRuns: size, seed: seed + done }), counts);
        // The senders are faster than the handlers: what is waiting is kept short.
        await until(async () => !(await pending()), DRAIN_MS).catch(sayWhat);
      }
      expect([...counts.keys()].toSorted()).toEqual(['forged 401', 'signed 202']);
      const { db } = line.database;
      const ends = await stateCounts();
      expect(
        ends
          .map(({ state }) => state)
          .filter((state) => !['handled', 'ignored', 'unreadable'].includes(state)),
      ).toEqual([]);
      expect(await db('deliveries').where({ reason: null })).toEqual([]);
      expect(counts.get('signed 202')).toBe(BODIES);
      const more = (await residentMemory(app.pid)).peak - before;
      expect(more).toBeLessThan(256);
      recordClaim({
        claim: 'hostile bodies: no crash, no 5xx, every signed one ends with a reason',
        figure: `${ends.map(({ state, n }) => `${n} ${state}`).join(', ')}; memory +${more.toFixed(0)} MiB`,
        seed,
      });
    }),
  3_600_000,
);

async function stateCounts(): Promise<{ state: string; n: number }[]> {
  const counted = line.database.db('deliveries').select('state').count({ n: '*' }).groupBy('state');
  return (await counted) as unknown as { state: string; n: number }[];
}

async function sayWhat(): Promise<never> {
  const left = await line.database.db('deliveries').where({ state: 'pending' }).limit(5);
  throw new Error(
    `not at an end: ${left.map(({ guid, event, attempts, retry_at, reason }) => JSON.stringify({ guid, event, attempts, retry_at, reason })).join('; ')}`,
  );
}

/** Heads with odd names and values, several on one connection, some with rubbish behind them. */
const heads = fc.record({
  values: fc.array(hostileHeader, { minLength: 3, maxLength: 3 }),
  extra: fc.array(
    fc.tuple(
      fc.constantFrom('content-length', 'expect', 'connection', 'transfer-encoding', 'x y', 'x'),
      hostileHeader,
    ),
    { maxLength: 3 },
  ),
  behind: fc.uint8Array({ maxLength: 200 }),
  again: fc.nat(3),
});

test(
  'odd heads and rubbish on raw connections get no 5xx, and store nothing',
  () =>
    seeded(async ({ seed }) => {
      const before = await line.database.db('deliveries').count({ n: '*' }).first();
      const samples = fc.sample(heads, { numRuns: HEADS, seed }).values();
      const counts = new Map<number, number>();
      const send = async () => {
        for (const { values, extra, behind, again } of samples) {
          const [signature = '', guid = '', event = ''] = values;
          const named = {
            'x-hub-signature-256': signature,
            'x-github-delivery': guid,
            'x-github-event': event,
          };
          const head = headOf(url, { ...named, ...Object.fromEntries(extra) });
          const raw = rawConnect(url);
          raw.socket.end(Buffer.concat([...Array<Buffer>(again + 1).fill(head), Buffer.from(behind)]));
          await raw.closed;
          for (const status of statusesIn(raw.text())) counts.set(status, (counts.get(status) ?? 0) + 1);
        }
      };
      await Promise.all(Array.from({ length: SENDERS }, send));
      expect([...counts.keys()].filter((status) => status >= 500 || status < 400)).toEqual([]);
      expect(await line.database.db('deliveries').count({ n: '*' }).first()).toEqual(before);
      recordClaim({
        claim: 'odd heads and pipelined rubbish on raw connections get no 5xx',
        figure: `${HEADS} connections: ${[...counts].map(([status, n]) => `${n} × ${status}`).join(', ')}`,
        seed,
      });
    }),
  600_000,
);

test('after all of that the process works, and its log holds no error and nothing of a payload', async () => {
  const delivery = { guid: randomUUID(), event: 'star', body: '{"action":"created"}' };
  expect(await signedPost(url, line.webhookSecret, delivery)).toBe(202);
  app.kill('SIGTERM');
  expect(await app.exited).toEqual({ code: 0, signal: null });
  const log = await readFile(line.logFile, 'utf8');
  expect(
    log
      .split('\n')
      .filter((one) => /"level":"(error|fatal)"|unhandled/i.test(one))
      .slice(0, 5),
  ).toEqual([]);
  for (const trace of ['polluted', 'xxxxxxxxxx', 'Codertocat']) expect(log).not.toContain(trace);
});
