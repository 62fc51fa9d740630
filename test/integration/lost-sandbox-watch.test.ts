import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createPool } from '../../src/db/connect.ts';
import { createGatewayStore } from '../../src/db/gateway-store.ts';
import { touchSandbox } from '../../src/db/run-events.ts';
import { openRun } from '../../src/db/runs.ts';
import type { Deps } from '../../src/services/deps.ts';
import { ingestEvents } from '../../src/services/events/ingest.ts';
import type { GitTokens } from '../../src/services/sandboxes/git-tokens.ts';
import { loseSandbox } from '../../src/services/sandboxes/lose.ts';
import { lossOf } from '../../src/services/sandboxes/losses.ts';
import { createWatch, watchSandboxes } from '../../src/services/sandboxes/watch.ts';
import { defaultSettings } from '../../src/services/settings/schema.ts';
import { noticeText } from '../../src/services/status/notices.ts';
import { createBackend } from '../../src/services/steps/backend.ts';
import { recordClaim, sized } from '../harness/claims.ts';
import { openSandboxDesk, type SandboxDesk } from '../harness/sandbox-desk.ts';
import { shiftClock } from '../harness/shift-clock.ts';
import { until } from '../harness/until.ts';

/** A worker whose own clock is ten minutes off: nothing may depend on it. */
const wrongClock = {
  now: () => new Date(Date.now() + 600_000),
  sleep: () => Promise.resolve(),
};

/** The whole size takes two pages. */
const MANY = sized(20, 130);

let desk: SandboxDesk;

beforeAll(async () => {
  desk = await openSandboxDesk(wrongClock);
});
afterAll(() => desk.close());

const watch = () => watchSandboxes(desk.deps);
const ago = (seconds: number) => desk.fresh.db.raw(`specwright_now() - make_interval(secs => ?)`, [seconds]);
const unit = <T>(work: (trx: Parameters<typeof touchSandbox>[0]) => Promise<T>) =>
  desk.fresh.db.transaction(work);

describe('silence', () => {
  test('of 90 seconds by the database ends a sandbox, and its spec asks for another one', async () => {
    const { sandboxId, specId } = await desk.add({ heartbeat_at: ago(89) as never });
    await watch();
    expect((await desk.sandbox(sandboxId)).state).toBe('running');
    await shiftClock(desk.fresh.db, 2);
    await watch();
    expect(await desk.sandbox(sandboxId)).toMatchObject({
      state: 'closing',
      end_reason: 'lost: it gave no sign of life: nothing was heard of it for 90 seconds',
    });
    expect(await desk.spec(specId)).toMatchObject({ status: 'executing', generation: 2 });
    expect(desk.jobs).toContain(`sandbox.ensure ${specId}`);
  });

  test('counts from the request where a sandbox never starts', async () => {
    const { sandboxId } = await desk.add({
      state: 'requested',
      ready_at: null,
      heartbeat_at: ago(91) as never,
    });
    await watch();
    expect((await desk.sandbox(sandboxId)).state).toBe('closing');
  });

  test('is seen once when two workers look at the same moment', async () => {
    const { sandboxId, specId } = await desk.add({ heartbeat_at: ago(91) as never });
    await Promise.all(Array.from({ length: 4 }, watch));
    expect((await desk.sandbox(sandboxId)).state).toBe('closing');
    expect((await desk.spec(specId)).generation).toBe(2);
    expect(desk.jobs.filter((job) => job === `sandbox.ensure ${specId}`)).toHaveLength(1);
  });

  test('ends with a heartbeat that is under way while the verdict is being found', async () => {
    const { sandboxId, specId } = await desk.add({ heartbeat_at: ago(91) as never });
    let looking: Promise<void> | undefined;
    await unit(async (trx) => {
      await touchSandbox(trx, sandboxId);
      looking = watch();
      await until(async () => (await waitingSessions()) > 0);
    });
    await looking;
    expect((await desk.sandbox(sandboxId)).state).toBe('running');
    expect((await desk.spec(specId)).generation).toBe(1);
  });

  test('once judged is not undone by a late heartbeat: its batch is kept, and the next call is told to stop', async () => {
    const { sandboxId, specId } = await desk.add({ heartbeat_at: ago(91) as never });
    const pool = createPool(desk.fresh.url, 1);
    const deps = { ...desk.deps, gateway: createGatewayStore(pool) };
    const backend = createBackend(deps, {} as GitTokens);
    expect(await backend.identify({ sandboxId }, 1)).toMatchObject({ kind: 'ok' });
    await watch();
    const beat = { seq: 1, at: new Date().toISOString(), type: 'heartbeat' as const, stepId: null, data: {} };
    expect(await ingestEvents(desk.fresh.db, { sandboxId, specId }, { events: [beat] })).toMatchObject({
      acked: 1,
    });
    expect(await backend.identify({ sandboxId }, 1)).toEqual({ kind: 'stale' });
    await pool.end();
    await watch();
    expect((await desk.sandbox(sandboxId)).state).toBe('closing');
  });

  test('means nothing while the database was away, until every runner has had time to report again', async () => {
    let nowMs = 0;
    let away = true;
    const clock = { now: () => new Date(nowMs), sleep: () => Promise.resolve() };
    const db = { raw: () => Promise.reject(new Error('the database is away')) } as unknown as Deps['db'];
    const look = createWatch({
      ...desk.deps,
      clock,
      get db() {
        return away ? db : desk.deps.db;
      },
    });
    const { sandboxId } = await desk.add({ heartbeat_at: ago(91) as never });
    await expect(look()).rejects.toThrow('away');
    away = false;
    nowMs = 44_000;
    await look();
    expect((await desk.sandbox(sandboxId)).state).toBe('running');
    nowMs = 46_000;
    await look();
    expect((await desk.sandbox(sandboxId)).state).toBe('closing');
  });

  test('of many is noticed in one look, also of those behind one that cannot be closed', async () => {
    const add = () => desk.add({ heartbeat_at: ago(91) as never });
    const ids = (await Promise.all(Array.from({ length: MANY }, add))).map(({ sandboxId }) => sandboxId);
    const stubborn = ids.toSorted()[MANY / 2]!;
    await desk.fresh.db.raw(`create function stubborn() returns trigger language plpgsql as
      $$ begin raise exception 'not this one'; end $$`);
    await desk.fresh.db.raw(`create trigger stubborn before update on sandboxes for each row
      when (old.id = '${stubborn}') execute function stubborn()`);
    const began = performance.now();
    await watch();
    const ms = Math.round(performance.now() - began);
    const open = await desk.fresh.db('sandboxes').whereIn('id', ids).where({ state: 'running' });
    expect(open.map(({ id }) => id)).toEqual([stubborn]);
    recordClaim({
      claim:
        'silent sandboxes are noticed 90 s after their last sign of life, at the next look, which is every 5 s',
      figure: `${MANY} at once in one look of ${ms} ms, one failing in the middle`,
    });
    await desk.fresh.db.raw('drop trigger stubborn on sandboxes');
    await watch();
    expect((await desk.sandbox(stubborn)).state).toBe('closing');
  });
});

describe('a sandbox whose heartbeats go on', () => {
  test('is given up when its step is not answered 15 minutes after its limit', async () => {
    const { sandboxId, specId } = await desk.add();
    const request = { timeoutMs: 60_000 };
    await unit((trx) =>
      openRun(trx, { id: randomUUID(), specId, sandboxId, step: 'task:1:1:agent', request }),
    );
    await beatAfter(15 * 60, sandboxId);
    expect((await desk.sandbox(sandboxId)).state).toBe('running');
    await beatAfter(61, sandboxId);
    expect((await desk.sandbox(sandboxId)).end_reason).toBe('lost: a step did not end within its time');
    expect(await desk.fresh.db('runs').where({ sandbox_id: sandboxId }).first()).toMatchObject({
      state: 'lost',
    });
  });

  test('is given up when its runner has asked for no step for 5 minutes, unless the spec is held', async () => {
    const idle = await desk.add();
    const held = await desk.add({}, { hold: { reason: 'quota', until: null, resumeTo: 'executing' } });
    await shiftClock(desk.fresh.db, 301);
    for (const { sandboxId } of [idle, held]) await unit((trx) => touchSandbox(trx, sandboxId));
    await watch();
    expect((await desk.sandbox(idle.sandboxId)).end_reason).toBe('lost: its runner asked for no more steps');
    expect((await desk.sandbox(held.sandboxId)).state).toBe('running');
  });

  test.each([
    ['is over', { status: 'cancelled' }],
    ['waits for a person', { status: 'awaiting_approval' }],
    ['is paused', { hold: { reason: 'paused', until: null, resumeTo: 'executing' } }],
  ])('is ended when its spec %s', async (_why, spec) => {
    const { sandboxId, specId } = await desk.add({}, spec);
    await watch();
    expect(await desk.sandbox(sandboxId)).toMatchObject({ state: 'closing', end_reason: 'stranded' });
    expect(desk.jobs).not.toContain(`sandbox.ensure ${specId}`);
  });
});

describe('losses', () => {
  const lose = async (specId: string, reason: string) => {
    const id = randomUUID();
    const generation = (await desk.spec(specId)).generation + 1;
    await desk.fresh.db('specs').where({ id: specId }).update({ generation });
    const row = {
      id,
      spec_id: specId,
      provider: 'local',
      repository: 'acme/shop',
      generation,
      state: 'running',
    };
    await desk.fresh.db('sandboxes').insert(row);
    await unit((trx) => loseSandbox(desk.deps, { trx, delivery: null }, { sandboxId: id, reason }));
    return (await desk.spec(specId)).status;
  };
  const newSpec = async () => (await desk.add({ state: 'gone' })).specId;

  test('are borne three times in an hour; the fourth fails the spec with what happened and what to do', async () => {
    const specId = await newSpec();
    for (const kind of ['silent', 'ended', 'memory'] as const) {
      expect(await lose(specId, lossOf(kind))).toBe('executing');
    }
    expect(await lose(specId, lossOf('memory'))).toBe('failed');
    const spec = await desk.spec(specId);
    expect(spec.cause).toBe(
      'The sandbox was lost more than 3 times within an hour, the last time because it used more memory than it may.',
    );
    const effects = await desk.fresh.db('effects').where({ spec_id: specId, kind: 'notify' });
    expect(effects.map(({ payload }) => payload)).toEqual([{ notice: 'sandbox_lost' }]);
    expect(
      await noticeText(desk.deps, {
        spec: { ...spec, settings: { settings: defaultSettings } },
        notice: 'sandbox_lost',
      }),
    ).toBe(
      `@ann this spec failed in the phase **execute** (carry out the tasks), because it lost its sandbox too often.

**What happened:** the sandbox was lost 4 times within an hour, and each time but the last one a new one went on from the last checkpoint:

- it gave no sign of life
- it ended by itself
- it used more memory than it may
- it used more memory than it may

**What it means:** no sandbox runs for this spec any more, and nothing was published.

**What to do:** Raise \`limits.memoryMb\` in \`.github/specwright.yml\`, or let the work and its checks need less memory. To try again, remove the label \`spec\` and set it once more.

<sub>Spec \`${specId}\`</sub>`,
    );
  });

  test('by a restart of the host never count, and others count for an hour from the loss, not from the start', async () => {
    const specId = await newSpec();
    for (let count = 0; count < 6; count += 1) expect(await lose(specId, 'host_restart')).toBe('executing');
    for (let count = 0; count < 3; count += 1) expect(await lose(specId, lossOf('silent'))).toBe('executing');
    // Long-lived sandboxes: their start is of no matter.
    await desk.fresh
      .db('sandboxes')
      .where({ spec_id: specId })
      .update({ created_at: ago(7200) });
    await shiftClock(desk.fresh.db, 3601);
    for (let count = 0; count < 3; count += 1) expect(await lose(specId, lossOf('silent'))).toBe('executing');
    await desk.fresh
      .db('sandboxes')
      .where({ spec_id: specId })
      .update({ created_at: ago(7200) });
    expect(await lose(specId, lossOf('silent'))).toBe('failed');
  });
});

async function beatAfter(seconds: number, sandboxId: string): Promise<void> {
  await shiftClock(desk.fresh.db, seconds);
  await unit((trx) => touchSandbox(trx, sandboxId));
  await watch();
}

async function waitingSessions(): Promise<number> {
  const { rows } = await desk.fresh.db.raw(
    `select count(*)::int as count from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  );
  return rows[0].count;
}
