/**
 * How long from the label's webhook to the runner's first command: `node bench/label-to-command.ts [labels]`.
 *
 * The App runs as a process of its own with a real isolated sandbox; the emulated GitHub runs in this one. Time
 * starts when the emulator writes the webhook and ends when the runner starts its first command, both by this
 * machine's clock, with nothing left out. The floor next to it is what the kernel and Node alone need on the same
 * machine at the same moment: `unshare`, a shell in it, and Node in that.
 */
import { spawn } from 'node:child_process';
import setUp from '../test/harness/global-setup.ts';
import tearDown from '../test/harness/global-teardown.ts';
import { type Line, openLine } from '../test/harness/line.ts';
import { until } from '../test/harness/until.ts';

const GOAL_MS = 500;
const PATIENCE_MS = 60_000;

/** Milliseconds between two neighbouring marks of one label's way, in their order. */
type Stages = Record<string, number>;

interface Sample {
  readonly totalMs: number;
  readonly floorMs: number;
  readonly stages: Stages;
}

async function main(labels: number): Promise<void> {
  await setUp();
  const line = await openLine();
  try {
    await line.startChild();
    await sample(line); // warms caches, connections and the JIT
    const samples: Sample[] = [];
    for (let round = 0; round < labels; round += 1) samples.push(await sample(line));
    print(samples);
    process.exitCode = median(samples.map(({ totalMs }) => totalMs)) <= GOAL_MS ? 0 : 1;
  } finally {
    await line.close();
    await tearDown();
  }
}

async function sample(line: Line): Promise<Sample> {
  const floorMs = await measureFloor();
  const { db } = line.database;
  const repo = `/repos/${line.world.repo.fullName}`;
  const issue = await line.api<{ number: number }>('POST', `${repo}/issues`, {
    title: 'Greet people',
    body: '',
  });
  await line.github.idle();
  await line.api('POST', `${repo}/issues/${issue.number}/labels`, { labels: ['spec'] });
  const first = () =>
    db('run_events')
      .join('specs', 'specs.id', 'run_events.spec_id')
      .where({ issue_number: issue.number, type: 'command.started' })
      .orderBy('seq')
      .first('run_events.*');
  await until(async () => (await first()) !== undefined, PATIENCE_MS);
  const event = await first();
  const marks = await marksOf(line, { issue: issue.number, sandboxId: event.sandbox_id, command: event.at });
  await line.api('DELETE', `${repo}/issues/${issue.number}/labels/spec`);
  const gone = async () => (await db('sandboxes').whereNot({ state: 'gone' }).first()) === undefined;
  await until(gone, PATIENCE_MS);
  await until(
    async () => (await db('effects').where({ state: 'pending' }).first()) === undefined,
    PATIENCE_MS,
  );
  return { floorMs, ...read(marks) };
}

/** A row's moments. */
type Timed = Record<'received_at' | 'created_at' | 'ready_at' | 'at', Date> & { readonly id: string };

/** Moments on one label's way, by the machine's clock; the database's and the runner's are the same. */
async function marksOf(
  line: Line,
  of: { issue: number; sandboxId: string; command: Date },
): Promise<[string, number][]> {
  const { db } = line.database;
  const label = line.github.deliveries().findLast(({ event, action, payload }) => {
    const { number } = (payload as { issue?: { number?: number } }).issue ?? {};
    return event === 'issues' && action === 'labeled' && number === of.issue;
  })!;
  const delivery: Timed = await db('deliveries').where({ guid: label.guid }).first();
  const spec: Timed = await db('specs').where({ issue_number: of.issue }).first();
  const [sandbox, begun, runner]: Timed[] = await Promise.all([
    db('sandboxes').where({ id: of.sandboxId }).first(),
    db('spec_events').where({ spec_id: spec.id, type: 'spec.execution_started' }).first(),
    db('run_events').where({ sandbox_id: of.sandboxId, type: 'runner.started' }).first(),
  ]);
  return [
    ['sent', label.sentAt],
    ['stored', delivery.received_at.getTime()],
    ['gathered', spec.created_at.getTime()],
    ['prepared', begun!.created_at.getTime()],
    ['sandbox asked for', sandbox!.created_at.getTime()],
    ['sandbox up', sandbox!.ready_at.getTime()],
    ['runner up', runner!.at.getTime()],
    ['first command', of.command.getTime()],
  ];
}

function read(marks: readonly [string, number][]): { totalMs: number; stages: Stages } {
  const stages: Stages = {};
  for (const [index, [name, at]] of marks.entries()) {
    const before = marks[index - 1];
    if (before) stages[`${before[0]} → ${name}`] = at - before[1];
  }
  return { totalMs: marks.at(-1)![1] - marks[0]![1], stages };
}

/** Namespaces, a shell and Node, as bare as they can be started. */
async function measureFloor(): Promise<number> {
  const started = performance.now();
  const argv = [
    '--mount',
    '--pid',
    '--net',
    '--ipc',
    '--uts',
    '--fork',
    '/bin/sh',
    '-c',
    '"$0" -e 0',
    process.execPath,
  ];
  const child = spawn('unshare', process.getuid?.() === 0 ? argv : ['--user', '--map-root-user', ...argv], {
    stdio: 'ignore',
  });
  const code = await new Promise((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error(`the floor could not be measured: unshare ended with ${String(code)}`);
  return performance.now() - started;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle) - 1]!) / 2;
}

function row(name: string, values: readonly number[]): string {
  const figures = [median(values), Math.min(...values), Math.max(...values)];
  return `${name.padEnd(36)}${figures.map((ms) => ms.toFixed(0).padStart(8)).join('')}\n`;
}

function print(samples: readonly Sample[]): void {
  const of = (pick: (one: Sample) => number) => samples.map(pick);
  const names = Object.keys(samples[0]!.stages);
  process.stdout.write(
    [
      `${'milliseconds'.padEnd(36)}  median     min     max   (${samples.length} labels)\n`,
      row(
        'label → first command',
        of(({ totalMs }) => totalMs),
      ),
      ...names.map((name) =>
        row(
          `  ${name}`,
          of(({ stages }) => stages[name]!),
        ),
      ),
      row(
        'floor: unshare + sh + node',
        of(({ floorMs }) => floorMs),
      ),
      `goal: a median of at most ${GOAL_MS} ms\n`,
    ].join(''),
  );
}

await main(Number(process.argv[2] ?? 20));
