/**
 * How fast webhooks are taken: `npm run bench:ingress [-- --json] [--rounds 5] [--seconds 4]`.
 *
 * Five servers, each a process of its own with a database of its own on one PostgreSQL that syncs to disk, take turns
 * in every round; a figure is the median of the rounds. 32 connections send `issues.labeled` of 12 KB, each with a
 * GUID of its own; every 2xx of a server that stores is compared with the rows it left.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Knex } from 'knex';
import { until } from '../test/harness/until.ts';
import type { LoadOrder, LoadResult } from './ingress-load.ts';
import { startApp } from './parts/app.ts';
import { type Child, residentMib, runChild, startChild } from './parts/child.ts';
import { type BenchPostgres, emptyDeliveries, startBenchPostgres } from './parts/postgres.ts';
import { median } from './parts/statistics.ts';

const CONNECTIONS = 32;
const WARMUP_MS = 1_000;
const DRAIN_MS = 60_000;

interface Variant {
  readonly server: Child;
  readonly url: string;
  /** Null where nothing is stored. */
  readonly db: Knex | null;
  /** Also waits until all that was stored is worked on. */
  readonly drains: boolean;
  stop(): Promise<void>;
}

interface Sample {
  readonly rps: number;
  readonly p50: number;
  readonly p99: number;
  /** Of the server's process at the end of a round, in MiB. */
  readonly rss: number;
}

const names = ['ours', 'oursDraining', 'probot', 'probotInsert', 'floor'] as const;
type Name = (typeof names)[number];
type Figures = Record<Name, Sample>;

interface Bench {
  readonly postgres: BenchPostgres;
  readonly secret: string;
  readonly folder: string;
}

async function main(options: { json: boolean; rounds: number; seconds: number }): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'specwright-bench-'));
  const postgres = await startBenchPostgres();
  const bench: Bench = { postgres, secret: randomBytes(32).toString('hex'), folder };
  const variants: Variant[] = [];
  try {
    const noop = await other(bench, 'noop', null);
    variants.push(noop);
    for (const name of names) variants.push(await open[name](bench));
    const limit = await measure(bench, noop, options.seconds);
    const samples = await rounds(bench, variants.slice(1), options);
    const figures = Object.fromEntries(
      names.map((name, i) => [name, middle(samples.map((round) => round[i]!))]),
    ) as Figures;
    process.stdout.write(options.json ? `${JSON.stringify(figures)}\n` : table(figures, limit));
    if (!boundsOf(figures).every(({ holds }) => holds)) process.exitCode = 1;
  } finally {
    for (const variant of variants) await variant.stop();
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Every round begins with another variant, so that none is always first after a pause. */
async function rounds(
  bench: Bench,
  variants: readonly Variant[],
  { rounds: count, seconds }: { rounds: number; seconds: number },
): Promise<Sample[][]> {
  const samples: Sample[][] = [];
  for (let round = 0; round < count; round += 1) {
    const row: Sample[] = [];
    for (let turn = 0; turn < variants.length; turn += 1) {
      const index = (round + turn) % variants.length;
      row[index] = await measure(bench, variants[index]!, seconds);
    }
    samples.push(row);
    const rates = names.map((name, i) => `${name} ${row[i]!.rps.toFixed(0)}`).join(', ');
    process.stderr.write(`round ${round + 1}: ${rates} req/s; load ${loadavg()[0]!.toFixed(1)}\n`);
  }
  return samples;
}

/** One turn. @throws Error if an answer was no success, or is not in the database */
async function measure({ secret }: Bench, variant: Variant, seconds: number): Promise<Sample> {
  const { db, server, url } = variant;
  const order: LoadOrder = {
    url,
    secret,
    connections: CONNECTIONS,
    warmupMs: WARMUP_MS,
    measureMs: seconds * 1000,
  };
  const out = await runChild({ program: 'bench/ingress-load.ts', args: [JSON.stringify(order)], env: {} });
  const { statuses, rps, p50, p99 } = JSON.parse(out) as LoadResult;
  const rss = await residentMib(server.pid);
  const answered = Object.values(statuses).reduce((sum, count) => sum + count, 0);
  const accepted = (statuses['202'] ?? 0) + (db ? 0 : (statuses['200'] ?? 0));
  if (db) await settle(variant, db, answered);
  const wrong = answered - accepted - (db ? (statuses['200'] ?? 0) : 0);
  if (wrong > 0) throw new Error(`answers were not all successes: ${JSON.stringify(statuses)}`);
  return { rps, p50, p99, rss };
}

/** Compares rows with answers, then leaves the next round an empty table and no write-back of this one's. */
async function settle({ drains }: Variant, db: Knex, answered: number): Promise<void> {
  const [row] = await db('deliveries').count('* as rows');
  if (Number(row!.rows) !== answered) throw new Error(`${answered} answers, ${row!.rows} rows`);
  if (drains)
    await until(async () => !(await db('deliveries').where({ state: 'pending' }).first()), DRAIN_MS);
  await emptyDeliveries(db);
}

const open: Readonly<Record<Name, (bench: Bench) => Promise<Variant>>> = {
  ours: (bench) => ours(bench, { drains: false }),
  oursDraining: (bench) => ours(bench, { drains: true }),
  probot: (bench) => other(bench, 'probot', null),
  probotInsert: (bench) => other(bench, 'probotInsert', 'payload jsonb not null'),
  floor: (bench) => other(bench, 'floor', 'bytes bytea not null'),
};

async function other(bench: Bench, mode: string, column: string | null): Promise<Variant> {
  const database = column === null ? null : await bench.postgres.create(mode.toLowerCase());
  if (database) {
    await database.db.raw(`create table deliveries (guid text primary key, event text not null, ${column})`);
    if (column!.includes('bytea'))
      await database.db.raw('alter table deliveries alter column bytes set storage external');
  }
  const server = await startChild({
    program: 'bench/ingress-server.ts',
    args: [mode],
    env: { WEBHOOK_SECRET: bench.secret, DATABASE_URL: database?.url ?? '' },
    ready: /ready on (\d+)/,
  });
  const url = `http://127.0.0.1:${server.found}/api/github/webhooks`;
  return { server, url, db: database?.db ?? null, drains: false, stop: server.stop };
}

/** Paused means that no process with the role of a worker runs. */
async function ours(bench: Bench, { drains }: { drains: boolean }): Promise<Variant> {
  const { url: databaseUrl, db } = await bench.postgres.create(drains ? 'draining' : 'paused');
  const start = (role: 'web' | 'worker') =>
    startApp({ role, databaseUrl, webhookSecret: bench.secret, folder: bench.folder });
  const server = await start('web');
  const worker = drains ? await start('worker') : null;
  return {
    server,
    url: `${server.found}/api/github/webhooks`,
    db,
    drains,
    async stop() {
      await Promise.all([server.stop(), worker?.stop()]);
    },
  };
}

function middle(samples: readonly Sample[]): Sample {
  const of = (key: keyof Sample) => Number(median(samples.map((sample) => sample[key])).toFixed(2));
  return { rps: of('rps'), p50: of('p50'), p99: of('p99'), rss: of('rss') };
}

interface Bound {
  readonly what: string;
  readonly value: number;
  readonly holds: boolean;
}

function boundsOf({ ours: own, probot, probotInsert, floor }: Figures): Bound[] {
  const atLeast = (what: string, value: number, limit: number) => ({
    what: `${what}, at least ${limit}`,
    value,
    holds: value >= limit,
  });
  const tail = own.p99 / floor.p99;
  return [
    atLeast('ours / probot', own.rps / probot.rps, 1),
    atLeast('ours / probotInsert', own.rps / probotInsert.rps, 3),
    atLeast('ours / floor', own.rps / floor.rps, 0.9),
    { what: 'p99 of ours / of floor, at most 2', value: tail, holds: tail <= 2 },
  ];
}

function table(figures: Figures, limit: Sample): string {
  const line = (name: string, { rps, p50, p99, rss }: Sample) => {
    const numbers = [rps.toFixed(0), p50.toFixed(2), p99.toFixed(2), rss.toFixed(0)];
    return `${name.padEnd(16)}${numbers.map((text) => text.padStart(9)).join('')}\n`;
  };
  return [
    `${''.padEnd(16)}    req/s   p50 ms   p99 ms   RSS MB\n`,
    ...names.map((name) => line(name, figures[name])),
    line('(only answers)', limit),
    '\n',
    ...boundsOf(figures).map(
      ({ what, value, holds }) =>
        `${what.padEnd(40)}${value.toFixed(2).padStart(7)}  ${holds ? 'holds' : 'MISSED'}\n`,
    ),
  ].join('');
}

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
  },
});
await main({ json: values.json, rounds: Number(values.rounds), seconds: Number(values.seconds) });
