import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { SandboxRow } from '../../src/db/sandboxes.ts';
import type { SpecRow } from '../../src/db/specs.ts';
import { settledInvariants } from '../harness/invariants.ts';
import { type ChildApp, type Line, openLine, quickScript } from '../harness/line.ts';
import { until } from '../harness/until.ts';
import { liftWriteBudget } from '../harness/write-budget.ts';

const SPECS = 6;
/** Long enough for the specs to be at work while workers come and go. */
const AGENT_MS = 500;
const GOES_ON_MS = 30_000;
const DRAIN_MS = 25_000;

let line: Line;
let workers: ChildApp[];
let issues: number[];

beforeAll(async () => {
  line = await openLine({ script: quickScript(AGENT_MS) });
  await liftWriteBudget(line.database.db);
  const roles = ['web', 'worker', 'worker'].map((role) => line.startChild({ ROLE: role }));
  workers = (await Promise.all(roles)).slice(1);
});
afterAll(() => line.close());

describe('six specs at once on one web process and two workers', () => {
  test('are spread over both workers', async () => {
    issues = await Promise.all(
      Array.from({ length: SPECS }, (_, index) => line.request(`Greeting ${index}`)),
    );
    await until(async () => (await liveSandboxes()).length === SPECS);
    const owners = new Set((await liveSandboxes()).map(({ owner }) => owner));
    expect(owners).toEqual(new Set(await Promise.all(workers.map(idOf))));
  });

  test('go on in the other worker when one is killed, and the others are left in peace', async () => {
    const [killed, other] = workers as [ChildApp, ChildApp];
    const before = await liveSandboxes();
    const [killedId, otherId] = [await idOf(killed), await idOf(other)];
    killed.kill('SIGKILL');
    const goneAt = Date.now();
    await killed.exited;
    const orphans = before.filter(({ owner }) => owner === killedId);
    await until(() => areAtWorkAgain(orphans, otherId), GOES_ON_MS);
    expect(Date.now() - goneAt).toBeLessThan(GOES_ON_MS);
    const after = await line.database.db('sandboxes').whereIn(
      'id',
      before.map(({ id }) => id),
    );
    for (const { owner, end_reason: reason } of after) {
      if (owner === killedId) expect(reason).toBe('host_restart');
      else expect([null, 'done']).toContain(reason);
    }
  }, 60_000);

  test('go on in a new worker when theirs is told to stop, which then ends with code 0 within 25 s', async () => {
    const leaving = workers[1]!;
    const id = await idOf(leaving);
    const newcomer = await line.startChild({ ROLE: 'worker' });
    const before = (await liveSandboxes()).filter(({ owner }) => owner === id);
    expect(before.length).toBeGreaterThan(0);
    const toldAt = Date.now();
    leaving.kill('SIGTERM');
    expect(await leaving.exited).toEqual({ code: 0, signal: null });
    expect(Date.now() - toldAt).toBeLessThan(DRAIN_MS);
    const stopped = await line.database.db('sandboxes').where({ owner: id, end_reason: 'host_restart' });
    expect(stopped.length).toBeGreaterThan(0);
    const newcomerId = await idOf(newcomer);
    await until(() => areAtWorkAgain(stopped, newcomerId), GOES_ON_MS);
  }, 90_000);

  test('end merged once each, with no attempt used up by the workers that went away', async () => {
    const specs = () => line.database.db<SpecRow>('specs');
    await until(async () => (await specs().where({ status: 'in_review' })).length === SPECS, 30_000);
    for (const spec of await specs()) {
      const path = `/repos/${line.world.repo.fullName}/pulls/${spec.pull_request_number}/merge`;
      await line.api('PUT', path, {});
    }
    await until(async () => (await specs().where({ status: 'merged' })).length === SPECS);
    expect(await settledInvariants(line)).toEqual([]);
    const served: number[] = await specs().orderBy('issue_number').pluck('issue_number');
    expect(served).toEqual(issues.toSorted((one, other) => one - other));
    expect(await line.database.db('spec_events').where({ type: 'spec.phase_retry' })).toEqual([]);
    expect(await line.database.db('sandboxes').where('end_reason', 'like', 'lost:%')).toEqual([]);
  }, 90_000);

  test('have each delivery handled once', async () => {
    await line.github.idle();
    const delivered = line.github.deliveries().filter(({ outcome }) => outcome === 'delivered');
    await until(async () => (await line.database.db('deliveries').where({ state: 'pending' })).length === 0);
    const stored = await line.database.db('deliveries');
    expect(stored).toHaveLength(delivered.length);
    expect(new Set(stored.map(({ guid }) => guid))).toEqual(new Set(delivered.map(({ guid }) => guid)));
    expect(new Set(stored.map(({ state }) => state))).toEqual(new Set(['handled', 'ignored']));
    const started = await line.database.db('deliveries').where('reason', 'like', 'spec % started');
    expect(started).toHaveLength(SPECS);
  });
});

function liveSandboxes(): Promise<SandboxRow[]> {
  return line.database.db('sandboxes').where({ state: 'running' });
}

async function idOf(worker: ChildApp): Promise<string> {
  return (await line.database.db('workers').where({ pid: worker.pid }).first()).id;
}

/** Each spec of these sandboxes has had a step given out by a newer one, in this worker. */
async function areAtWorkAgain(lost: readonly SandboxRow[], owner: string): Promise<boolean> {
  for (const { spec_id, generation } of lost) {
    const run = await line.database
      .db('runs')
      .join('sandboxes', 'sandboxes.id', 'runs.sandbox_id')
      .where({ 'runs.spec_id': spec_id, owner })
      .where('generation', '>', generation)
      .first();
    if (!run) return false;
  }
  return true;
}
