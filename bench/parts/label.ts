/** One label's way to the runner's first command, with the floor of the same moment. */
import { spawn } from 'node:child_process';
import type { Line } from '../../test/harness/line.ts';
import { until } from '../../test/harness/until.ts';

const PATIENCE_MS = 60_000;

export interface LabelSample {
  readonly totalMs: number;
  /** What the kernel and Node alone need: `unshare`, a shell in it, and Node in that. */
  readonly floorMs: number;
  /** Milliseconds between two neighbouring marks of the way, in their order. */
  readonly stages: Readonly<Record<string, number>>;
}

/**
 * Labels an issue, waits for the runner's first command, and takes the label away again; ends when everything of it
 * is gone. Time starts when the emulator writes the webhook and ends when the runner starts its first command, both by
 * this machine's clock.
 */
export async function sampleLabel(line: Line): Promise<LabelSample> {
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

function read(marks: readonly [string, number][]): { totalMs: number; stages: Record<string, number> } {
  const stages: Record<string, number> = {};
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
