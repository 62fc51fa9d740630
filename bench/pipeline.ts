/**
 * How fast deliveries get from the intake to their decision: `npm run bench:pipeline [-- --json] [--rounds 5]
 * [--deliveries 4000] [--lanes 500]`.
 *
 * Worker processes take turns on databases of their own: the App's, with its real handlers behind Probot, and a bare
 * loop that claims, upserts and marks, one delivery a transaction; and again the bare loop with as many lanes a
 * transaction as the App takes of a backlog. All are fed the same bodies by the real group commit, and time runs from
 * the first delivery to the last decision. The bare loops are given the lanes, which the App finds out by itself.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Knex } from 'knex';
import type pg from 'pg';
import { createPool } from '../src/db/connect.ts';
import { createDeliveryStore, type DeliveryStore } from '../src/db/deliveries.ts';
import { migrate } from '../src/db/migrate.ts';
import { createLogger } from '../src/log.ts';
import { type Accept, createAccept } from '../src/services/inbox/accept.ts';
import { MAX_TOGETHER } from '../src/services/inbox/together.ts';
import { until } from '../test/harness/until.ts';
import { startApp } from './parts/app.ts';
import { type Child, startChild } from './parts/child.ts';
import { issueBodies } from './parts/deliveries.ts';
import { emptyDeliveries, startBenchPostgres } from './parts/postgres.ts';
import { median } from './parts/statistics.ts';

interface Side {
  readonly db: Knex;
  readonly accept: Accept;
  /** Called with each GUID and its lane before it is accepted. */
  readonly tell: (guid: string, lane: string) => void;
  readonly worker: Child;
}

interface Size {
  readonly rounds: number;
  readonly deliveries: number;
  readonly lanes: number;
}

/** Of these every tenth is an event that nothing handles. */
const UNHANDLED_EVERY = 10;
const SENDERS = 32;
const PATIENCE_MS = 120_000;
/** Of the bare lane loop's deliveries a second. */
const BOUND = 0.8;

async function main(size: Size & { json: boolean }): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'specwright-bench-'));
  const postgres = await startBenchPostgres();
  const pools: pg.Pool[] = [];
  const workers: Child[] = [];
  const open = async (name: string, start: (url: string) => Promise<Child>, withLanes: boolean) => {
    const { url, db } = await postgres.create(name);
    await migrate(db);
    if (withLanes) await prepareBare(db);
    const pool = createPool(url, 3);
    pools.push(pool);
    const lanes = new Map<string, string>();
    const store = withLanes ? storeWithLanes(pool, lanes) : createDeliveryStore(pool);
    const worker = await start(url);
    workers.push(worker);
    const log = createLogger({ level: 'error', secrets: [] });
    const tell = (guid: string, lane: string) => void lanes.set(guid, lane);
    return { db, accept: createAccept({ store, log }), tell, worker } satisfies Side;
  };
  try {
    const webhookSecret = randomBytes(32).toString('hex');
    const ours = await open(
      'ours',
      (databaseUrl) => startApp({ role: 'worker', databaseUrl, webhookSecret, folder }),
      false,
    );
    const bareOf = (name: string, lanes: number) =>
      open(
        name,
        (DATABASE_URL) =>
          startChild({
            program: 'bench/pipeline-bare.ts',
            args: [String(lanes)],
            env: { DATABASE_URL },
            ready: /(ready)/,
          }),
        true,
      );
    const sides = [ours, await bareOf('bare', 1), await bareOf('bare_together', MAX_TOGETHER)];
    report(await rounds(sides, size), size.json);
  } finally {
    for (const worker of workers) await worker.stop();
    for (const pool of pools) await pool.end();
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The lane comes with the insert, and an index leads to the oldest pending delivery. */
async function prepareBare(db: Knex): Promise<void> {
  await db.raw(`
    create table counted (lane text primary key, deliveries bigint not null);
    create index bare_pending on deliveries (seq) where state = 'pending';
  `);
}

function storeWithLanes(pool: pg.Pool, lanes: Map<string, string>): DeliveryStore {
  const plain = createDeliveryStore(pool);
  return {
    async insert(rows) {
      const tuples = rows.map((_row, i) => `($${4 * i + 1}, $${4 * i + 2}, $${4 * i + 3}, $${4 * i + 4})`);
      const text = `insert into deliveries (guid, event, bytes, lane) values ${tuples.join(', ')}`;
      const values = rows.flatMap(({ guid, event, bytes }) => [guid, event, bytes, lanes.get(guid)!]);
      await pool.query({ name: `laned-${rows.length}`, text, values });
      return 'all';
    },
    announce: () => plain.announce(),
  };
}

async function rounds(sides: readonly Side[], size: Size): Promise<number[][]> {
  const rates: number[][] = sides.map(() => []);
  for (let round = -1; round < size.rounds; round += 1) {
    for (let turn = 0; turn < sides.length; turn += 1) {
      const index = (round + 1 + turn) % sides.length;
      const rate = await run(sides[index]!, size);
      if (round >= 0) rates[index]!.push(rate);
    }
    if (round < 0) continue;
    const last = rates.map((side) => side.at(-1)!.toFixed(0)).join(', ');
    process.stderr.write(
      `round ${round + 1}: ours, bare, bare together ${last} a second; load ${loadavg()[0]!.toFixed(1)}\n`,
    );
  }
  return rates;
}

/** Deliveries a second from the first `accept` to the last decision. @throws Error if one was lost or left */
async function run({ db, accept, tell }: Side, { deliveries, lanes }: Size): Promise<number> {
  const bodies = issueBodies('edited', lanes);
  let next = 0;
  const started = performance.now();
  const send = async () => {
    for (let i = next++; i < deliveries; i = next++) {
      const guid = randomUUID();
      tell(guid, `lane ${i % lanes}`);
      const event = i % UNHANDLED_EVERY === 0 ? 'star' : 'issues';
      const acceptance = await accept({ guid, event, body: bodies[i % lanes]! });
      if (acceptance !== 'stored') throw new Error(`a delivery was not stored: ${acceptance}`);
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, send));
  const pending = () => db('deliveries').where({ state: 'pending' }).first('guid');
  await until(async () => (await pending()) === undefined, PATIENCE_MS);
  const seconds = (performance.now() - started) / 1000;
  const ended = await db('deliveries').whereIn('state', ['handled', 'ignored']).count('* as rows');
  if (Number(ended[0]!.rows) !== deliveries)
    throw new Error(`${ended[0]!.rows} of ${deliveries} were decided`);
  await emptyDeliveries(db);
  return deliveries / seconds;
}

function report([ours, bare, bareTogether]: number[][], json: boolean): void {
  const ratioTo = (side: number[]) => median(ours!.map((rate, i) => rate / side[i]!));
  const figures = {
    ours: median(ours!),
    bare: median(bare!),
    bareTogether: median(bareTogether!),
    ratio: ratioTo(bare!),
    ratioTogether: ratioTo(bareTogether!),
  };
  const line = (name: string, value: number, digits: number, note = '') =>
    `${name.padEnd(36)}${value.toFixed(digits).padStart(8)}${note}\n`;
  const text = [
    line('ours', figures.ours, 0, ' deliveries/s, intake to decision'),
    line('bare lane loop', figures.bare, 0),
    line(`bare, ${MAX_TOGETHER} lanes a transaction`, figures.bareTogether, 0),
    line(
      'ours / bare',
      figures.ratio,
      2,
      `  at least ${BOUND}: ${figures.ratio >= BOUND ? 'holds' : 'MISSED'}`,
    ),
    line('ours / bare together', figures.ratioTogether, 2),
  ];
  process.stdout.write(json ? `${JSON.stringify(figures)}\n` : text.join(''));
  if (figures.ratio < BOUND) process.exitCode = 1;
}

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    deliveries: { type: 'string', default: '4000' },
    lanes: { type: 'string', default: '500' },
  },
});
const { json, ...sizes } = values;
await main({
  json,
  rounds: Number(sizes.rounds),
  deliveries: Number(sizes.deliveries),
  lanes: Number(sizes.lanes),
});
