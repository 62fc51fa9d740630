/**
 * How long the line takes and what it costs: `npm run bench:line [-- --json] [--labels 20] [--specs 3] [--starts 5]`.
 *
 * The App runs as a process of its own with a real isolated sandbox and the scripted agent, which takes no time of its
 * own; the emulated GitHub runs in this process and answers at once. So the figures are what the App adds, and a real
 * model and a real network come on top.
 */
import { parseArgs } from 'node:util';
import { countCalls } from '../src/cli/demo/report.ts';
import setUp from '../test/harness/global-setup.ts';
import tearDown from '../test/harness/global-teardown.ts';
import { type Line, openLine } from '../test/harness/line.ts';
import { until } from '../test/harness/until.ts';
import { residentMib } from './parts/child.ts';
import { type LabelSample, sampleLabel } from './parts/label.ts';
import { measureStarts, type Starts } from './parts/starts.ts';
import { median } from './parts/statistics.ts';

const START_GOAL_MS = 3_000;
const MEMORY_GOAL_MIB = 200;
const COMMAND_GOAL_MS = 500;
const SPEC_MS = 120_000;

interface Whole {
  /** From the label to a pull request that waits for its review. */
  readonly ms: number;
  readonly rest: number;
  readonly contentWrites: number;
  readonly tokens: number;
}

interface Figures {
  readonly starts: Starts;
  readonly labels: readonly LabelSample[];
  readonly specs: readonly Whole[];
  /** Of the process after all of these, in MiB. */
  readonly residentMib: number;
}

async function main(options: { labels: number; specs: number; starts: number }): Promise<Figures> {
  const starts = await measureStarts(options.starts);
  await setUp();
  const line = await openLine();
  try {
    const { pid } = await line.startChild();
    await sampleLabel(line); // warms caches, connections and the JIT
    const labels: LabelSample[] = [];
    for (let i = 0; i < options.labels; i += 1) labels.push(await sampleLabel(line));
    const resident = await residentMib(pid);
    const specs: Whole[] = [];
    for (let i = 0; i < options.specs; i += 1) specs.push(await wholeSpec(line));
    return { starts, labels, specs, residentMib: Math.max(resident, await residentMib(pid)) };
  } finally {
    await line.close();
    await tearDown();
  }
}

/** Three tasks, from the label to the pull request, with all that is written on GitHub for it. */
async function wholeSpec(line: Line): Promise<Whole> {
  const before = countCalls(line);
  const { db } = line.database;
  const started = performance.now();
  const issue = await line.request();
  const spec = () => db('specs').where({ issue_number: issue }).first();
  await until(async () => (await spec())?.status === 'in_review', SPEC_MS);
  const ms = performance.now() - started;
  await until(async () => (await db('effects').where({ state: 'pending' }).first()) === undefined, SPEC_MS);
  await until(async () => {
    const { status_published_version: published, version } = await spec();
    return published === version;
  }, SPEC_MS);
  const after = countCalls(line);
  return {
    ms,
    rest: after.rest - before.rest,
    contentWrites: after.contentWrites - before.contentWrites,
    tokens: after.tokens - before.tokens,
  };
}

function report({ starts, labels, specs, residentMib: resident }: Figures): string {
  const labelMs = median(labels.map(({ totalMs }) => totalMs));
  const stages = Object.keys(labels[0]!.stages);
  const rows: [string, number, string][] = [
    ['start to ready, cold', starts.coldMs, 'ms'],
    ['start to ready, warm', starts.warmMs, `ms${goal(starts.warmMs, START_GOAL_MS)}`],
    ['  with DATABASE_URL', starts.warmWithUrlMs, `ms${goal(starts.warmWithUrlMs, START_GOAL_MS)}`],
    ['  floor: node -e 0', starts.floorMs, 'ms'],
    ['resident, idle', starts.idleMib, `MiB${goal(starts.idleMib, MEMORY_GOAL_MIB)}`],
    [
      `resident, after ${labels.length + specs.length} specs`,
      resident,
      `MiB${goal(resident, MEMORY_GOAL_MIB)}`,
    ],
    ['label to first command', labelMs, `ms${goal(labelMs, COMMAND_GOAL_MS)}`],
    ...stages.map((name): [string, number, string] => [
      `  ${name}`,
      median(labels.map((sample) => sample.stages[name]!)),
      'ms',
    ]),
    ['  floor: unshare, sh, node', median(labels.map(({ floorMs }) => floorMs)), 'ms'],
    ['whole spec, three tasks', median(specs.map(({ ms }) => ms)), 'ms'],
    ['  REST calls', median(specs.map(({ rest }) => rest)), ''],
    ['  content writes', median(specs.map(({ contentWrites }) => contentWrites)), ''],
    ['  tokens', median(specs.map(({ tokens }) => tokens)), ''],
  ];
  return rows
    .map(([name, value, unit]) => `${name.padEnd(36)}${value.toFixed(0).padStart(8)} ${unit}\n`)
    .join('');
}

function goal(value: number, limit: number): string {
  return `, at most ${limit}: ${value <= limit ? 'holds' : 'MISSED'}`;
}

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    labels: { type: 'string', default: '20' },
    specs: { type: 'string', default: '3' },
    starts: { type: 'string', default: '5' },
  },
});
const figures = await main({
  labels: Number(values.labels),
  specs: Number(values.specs),
  starts: Number(values.starts),
});
const { starts } = figures;
const held =
  Math.max(starts.warmMs, starts.warmWithUrlMs) <= START_GOAL_MS &&
  Math.max(starts.idleMib, figures.residentMib) <= MEMORY_GOAL_MIB &&
  median(figures.labels.map(({ totalMs }) => totalMs)) <= COMMAND_GOAL_MS;
if (!held) process.exitCode = 1;
process.stdout.write(values.json ? `${JSON.stringify(figures)}\n` : report(figures));
