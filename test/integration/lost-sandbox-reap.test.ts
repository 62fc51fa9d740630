import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { SandboxInstance, SandboxProvider } from '../../src/sandbox/provider.ts';
import { createEnder } from '../../src/services/sandboxes/end-closing.ts';
import { instanceLabels, reap } from '../../src/services/sandboxes/reap.ts';
import { recordClaim, sized } from '../harness/claims.ts';
import { openSandboxDesk, type SandboxDesk } from '../harness/sandbox-desk.ts';
import { until } from '../harness/until.ts';

const OLD = new Date(Date.now() - 600_000);
const PAGE = 50;
const STRAYS = sized(60, 300);

/** A cloud that gives its instances out page by page; some resist. */
function cloud() {
  const instances = new Map<string, SandboxInstance>();
  const resists = new Set<string>();
  const hangs = new Set<string>();
  const destroyed: string[] = [];
  let brokenPage = -1;
  const provider = {
    name: 'local',
    capabilities: { diesWithOwner: true },
    get: async (id: string) => instances.get(id) ?? null,
    async *list(labels: Record<string, string>) {
      const all = [...instances.values()].filter((instance) =>
        Object.entries(labels).every(([name, value]) => instance.labels[name] === value),
      );
      for (let page = 0; page * PAGE < all.length; page += 1) {
        if (page === brokenPage) throw new Error('no such page now');
        yield* all.slice(page * PAGE, (page + 1) * PAGE);
      }
    },
    async destroy(id: string) {
      destroyed.push(id);
      if (hangs.has(id)) await new Promise(() => {});
      if (resists.has(id)) throw new Error('it resists');
      instances.delete(id);
    },
    sweep: async () => {
      throw new Error('a folder resists');
    },
  } as unknown as SandboxProvider;
  return {
    provider,
    instances,
    resists,
    hangs,
    destroyed,
    breakPage: (page: number) => {
      brokenPage = page;
    },
  };
}

let desk: SandboxDesk;
let labels: Record<string, string>;
let nowMs = 0;

beforeAll(async () => {
  // A sleep that only its caller ends, but for those that the tests wait out.
  const clock = { now: () => new Date(Date.now() + nowMs), sleep: async () => {} };
  desk = await openSandboxDesk(clock);
  labels = await instanceLabels(desk.deps);
});
afterEach(() => desk.fresh.db('sandboxes').update({ state: 'gone' }));
afterAll(() => desk.close());

function addInstance(at: ReturnType<typeof cloud>, id: string, more: Partial<SandboxInstance> = {}): void {
  at.instances.set(id, { id, externalId: id, state: 'running', labels, createdAt: OLD, ...more });
}

describe('reaping', () => {
  test('destroys what no row stands for, page by page, though some resist and a page is missing at first', async () => {
    const at = cloud();
    const strays = Array.from({ length: STRAYS }, () => randomUUID());
    for (const id of strays) addInstance(at, id);
    const live = await desk.add();
    const gone = await desk.add({ state: 'gone' });
    for (const { sandboxId } of [live, gone]) addInstance(at, sandboxId);
    at.resists.add(strays[20]!);
    at.breakPage(1);
    await reap(desk.deps, at.provider);
    expect(at.instances.size).toBe(STRAYS + 2 - PAGE + 1);
    at.breakPage(-1);
    const began = performance.now();
    await reap(desk.deps, at.provider);
    const ms = Math.round(performance.now() - began);
    expect(new Set(at.instances.keys())).toEqual(new Set([strays[20], live.sandboxId]));
    at.resists.clear();
    await reap(desk.deps, at.provider);
    expect([...at.instances.keys()]).toEqual([live.sandboxId]);
    recordClaim({
      claim: 'instances that no row stands for are reaped at start and every 3 minutes, page by page',
      figure: `${STRAYS + 1} destroyed, one resisted at first and one page failed, second pass in ${ms} ms`,
    });
  });

  test('leaves alone what has just been made, what another deployment made, and what has other labels', async () => {
    const at = cloud();
    const [young, foreign, other] = [randomUUID(), randomUUID(), randomUUID()] as const;
    addInstance(at, young, { createdAt: new Date() });
    addInstance(at, foreign, { labels: { ...labels, deployment: randomUUID() } });
    addInstance(at, other, { labels: {} });
    await reap(desk.deps, at.provider);
    expect(at.destroyed).toEqual([]);
    nowMs = 121_000;
    await reap(desk.deps, at.provider);
    nowMs = 0;
    expect(at.destroyed).toEqual([young]);
  });

  test('closes rows whose instance is not there any more, and their specs go on in another sandbox', async () => {
    const at = cloud();
    const [vanished, ended, running, requested, another] = [
      await desk.add(),
      await desk.add(),
      await desk.add(),
      await desk.add({ state: 'requested' }),
      await desk.add({ owner: randomUUID() }),
    ];
    addInstance(at, ended.sandboxId, { state: 'gone' });
    addInstance(at, running.sandboxId);
    await reap(desk.deps, at.provider);
    for (const { sandboxId, specId } of [vanished, ended]) {
      expect(await desk.sandbox(sandboxId)).toMatchObject({
        state: 'closing',
        end_reason: 'lost: it is no longer there',
      });
      expect(desk.jobs).toContain(`sandbox.ensure ${specId}`);
    }
    for (const { sandboxId } of [running, another]) {
      expect((await desk.sandbox(sandboxId)).state).toBe('running');
    }
    expect((await desk.sandbox(requested.sandboxId)).state).toBe('requested');
  });
});

describe('ending closed sandboxes', () => {
  test('goes on beside one that hangs and one that fails, which is tried again later and later', async () => {
    const at = cloud();
    const [hanging, failing, good] = [await desk.add(), await desk.add(), await desk.add()];
    await desk.fresh.db('sandboxes').whereNot({ state: 'gone' }).update({ state: 'closing' });
    at.hangs.add(hanging.sandboxId);
    at.resists.add(failing.sandboxId);
    const pass = createEnder(desk.deps, at.provider);
    await pass();
    await until(async () => (await desk.sandbox(good.sandboxId)).state === 'gone');
    const tries = (id: string) => at.destroyed.filter((one) => one === id).length;
    for (let count = 0; count < 5; count += 1) await pass();
    expect([tries(hanging.sandboxId), tries(failing.sandboxId), tries(good.sandboxId)]).toEqual([1, 1, 1]);
    nowMs = 2_500;
    await pass();
    expect(tries(failing.sandboxId)).toBe(2);
    nowMs = 4_500;
    await pass();
    expect(tries(failing.sandboxId)).toBe(2);
    at.resists.clear();
    nowMs = 9_000;
    await pass();
    await until(async () => (await desk.sandbox(failing.sandboxId)).state === 'gone');
    nowMs = 0;
  });
});
