/**
 * What the gateway adds to a call to a model: `npm run bench:models [-- --json] [--rounds 5]`.
 *
 * A provider that streams at once is asked directly, through a proxy that only pipes, and through the App (a process
 * of its own, with its database: identity, credential, reservation and metering as in production), in alternating
 * rounds. First byte: one call at a time with a body as agents send it. CPU: of the proxy's process, for each MB that
 * streams through. Memory: of the App's process while 1,000 replies stream through it.
 */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import http from 'node:http';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Knex } from 'knex';
import { migrate } from '../src/db/migrate.ts';
import { insertSandboxRows } from '../test/harness/sandbox-rows.ts';
import { startApp } from './parts/app.ts';
import { type Child, residentMib, startChild } from './parts/child.ts';
import { startBenchPostgres } from './parts/postgres.ts';
import { median } from './parts/statistics.ts';

const BEARER = randomBytes(24).toString('hex');
/** About what a coding agent sends in the middle of its work. */
const BODY = JSON.stringify({
  model: 'claude-sonnet-4-5',
  max_tokens: 1000,
  stream: true,
  messages: [{ role: 'user', content: 'what was said so far '.repeat(2500) }],
});
const CALLS = 100;
const STREAM_MB = 4;
const STREAMS = 16;
const MANY = 1000;
const MANY_MB = 0.25;
const AT_ONCE = 25;
/** What the bounds are: milliseconds later than direct, CPU for a MB, and growth of memory between two halves, MiB. */
const BOUND = { laterMs: 3, cpu: 1.5, growthMib: 16 };

interface Side {
  readonly name: 'direct' | 'pipe' | 'ours';
  readonly url: string;
  readonly pid: number | null;
}

/** One call; answers milliseconds to the first byte of the reply's body. */
function call(side: Side, agent: http.Agent, bytes: number): Promise<number> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${BEARER}`,
      'content-type': 'application/json',
      'content-length': BODY.length,
      'x-bench-bytes': String(bytes),
    };
    const request = http.request(`${side.url}/v1/messages`, { method: 'POST', headers, agent }, (reply) => {
      let first: number | null = null;
      reply.on('data', () => {
        first ??= performance.now() - started;
      });
      reply.once('end', () =>
        reply.statusCode === 200 && first !== null
          ? resolve(first)
          : reject(new Error(`${side.name} answered ${reply.statusCode}`)),
      );
      reply.once('error', reject);
    });
    request.once('error', reject);
    request.end(BODY);
  });
}

async function firstByte(side: Side, agent: http.Agent): Promise<number> {
  const times: number[] = [];
  for (let at = 0; at < CALLS; at += 1) times.push(await call(side, agent, 0));
  return median(times);
}

/** Seconds of CPU for each MB that streams through a proxy. */
async function cpuPerMb(side: Side, agent: http.Agent): Promise<number> {
  const before = await cpuSeconds(side.pid!);
  for (let at = 0; at < STREAMS; at += 1) await call(side, agent, STREAM_MB * 1e6);
  return ((await cpuSeconds(side.pid!)) - before) / (STREAMS * STREAM_MB);
}

const TICKS_A_SECOND = 100;

async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}

/** The largest resident memory in the first and in the second half of many streams, MiB. */
async function memory(side: Side, agent: http.Agent): Promise<[number, number]> {
  const halves: [number, number] = [0, 0];
  // What the first calls make a process keep is no growth.
  await batch(side, agent, 0);
  for (let done = 0; done < MANY; done += AT_ONCE) {
    await batch(side, agent, MANY_MB * 1e6);
    const half = done < MANY / 2 ? 0 : 1;
    halves[half] = Math.max(halves[half], await residentMib(side.pid!));
  }
  return halves;
}

async function batch(side: Side, agent: http.Agent, bytes: number): Promise<void> {
  await Promise.all(Array.from({ length: AT_ONCE }, () => call(side, agent, bytes)));
}

interface Figures {
  readonly firstByteMs: Record<Side['name'], number>;
  readonly cpuMsPerMb: { readonly pipe: number; readonly ours: number };
  readonly memoryMib: readonly [number, number];
}

async function measure(sides: readonly Side[], rounds: number): Promise<Figures> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const times: Record<Side['name'], number[]> = { direct: [], pipe: [], ours: [] };
  const cpu: Record<Side['name'], number[]> = { direct: [], pipe: [], ours: [] };
  for (const side of sides) await firstByte(side, agent);
  for (let round = 1; round <= rounds; round += 1) {
    for (const side of sides) times[side.name].push(await firstByte(side, agent));
    for (const side of sides) if (side.pid) cpu[side.name].push(await cpuPerMb(side, agent));
    process.stderr.write(`round ${round} of ${rounds}; load ${loadavg()[0]!.toFixed(1)}\n`);
  }
  const memoryMib = await memory(sides.find(({ name }) => name === 'ours')!, agent);
  agent.destroy();
  const { direct, pipe, ours } = times;
  return {
    firstByteMs: { direct: median(direct), pipe: median(pipe), ours: median(ours) },
    cpuMsPerMb: { pipe: median(cpu.pipe) * 1000, ours: median(cpu.ours) * 1000 },
    memoryMib,
  };
}

function report({ firstByteMs, cpuMsPerMb, memoryMib }: Figures, json: boolean): void {
  const later = firstByteMs.ours - firstByteMs.direct;
  const ratio = cpuMsPerMb.ours / cpuMsPerMb.pipe;
  const growth = memoryMib[1] - memoryMib[0];
  const held = later <= BOUND.laterMs && ratio <= BOUND.cpu && growth <= BOUND.growthMib;
  const lines = [
    '| what | direct | pipe | ours | ours against it | bound |\n| --- | --- | --- | --- | --- | --- |\n',
    `| first byte, ms | ${firstByteMs.direct.toFixed(2)} | ${firstByteMs.pipe.toFixed(2)} | ${firstByteMs.ours.toFixed(2)} | +${later.toFixed(2)} | ≤ ${BOUND.laterMs} |\n`,
    `| CPU, ms a MB | | ${cpuMsPerMb.pipe.toFixed(2)} | ${cpuMsPerMb.ours.toFixed(2)} | ${ratio.toFixed(2)} × | ≤ ${BOUND.cpu} |\n`,
    `| memory over ${MANY} streams, MiB | | | ${memoryMib.map(Math.round).join(' → ')} | +${growth.toFixed(0)} | ≤ ${BOUND.growthMib} |\n`,
  ];
  const figures = { firstByteMs, cpuMsPerMb, memoryMib, later, ratio, growth, held };
  process.stdout.write(json ? `${JSON.stringify(figures)}\n` : lines.join(''));
  if (!held) process.exitCode = 1;
}

/** A spec whose sandbox shows BEARER. */
async function prepare(db: Knex): Promise<void> {
  const ids = await insertSandboxRows(db, { sandboxId: randomUUID(), specId: randomUUID() });
  const bearer_hash = createHash('sha256').update(BEARER).digest('hex');
  await db('sandboxes').where({ id: ids.sandboxId }).update({ bearer_hash });
  const settings = JSON.stringify({ settings: { budget: { specUsd: 100_000 } } });
  await db('specs').where({ id: ids.specId }).update({ generation: 1, settings });
}

async function main({ rounds, json }: { rounds: number; json: boolean }): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'specwright-bench-'));
  const postgres = await startBenchPostgres();
  const children: Child[] = [];
  const serve = async (mode: string, env: Record<string, string> = {}): Promise<Child> => {
    const options = { program: 'bench/models-server.ts', args: [mode], env, ready: /(http:\S+)/ };
    const child = await startChild(options);
    children.push(child);
    return child;
  };
  try {
    const { url, db } = await postgres.create('models');
    await migrate(db);
    await prepare(db);
    const provider = await serve('provider');
    const pipe = await serve('pipe', { PROVIDER_URL: provider.found });
    const app = await startApp({
      role: 'web',
      databaseUrl: url,
      webhookSecret: randomBytes(32).toString('hex'),
      folder,
      env: {
        ANTHROPIC_API_KEY: `sk-${randomBytes(24).toString('hex')}`,
        ANTHROPIC_BASE_URL: provider.found,
        INSTALLATION_DAY_USD: '100000',
      },
    });
    children.push(app);
    const sides: Side[] = [
      { name: 'direct', url: provider.found, pid: null },
      { name: 'pipe', url: pipe.found, pid: pipe.pid },
      { name: 'ours', url: `${app.found}/gateway/llm/1/anthropic`, pid: app.pid },
    ];
    report(await measure(sides, rounds), json);
  } finally {
    for (const child of children) await child.stop();
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, rounds: { type: 'string', default: '5' } },
});
await main({ json: values.json, rounds: Number(values.rounds) });
