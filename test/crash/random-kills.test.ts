import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { recordClaim, sized } from '../harness/claims.ts';
import { alwaysInvariants, settledInvariants } from '../harness/invariants.ts';
import { type KillRig, openKillRig } from '../harness/kill-rig.ts';
import { type Random, seeded } from '../harness/random.ts';
import { until } from '../harness/until.ts';

const KILLS = sized(12, 200);
/** A spec that is killed more often than it needs steps would never end. */
const KILLS_A_SPEC = 25;
/** Between two kills, milliseconds: from the middle of a start to some steps of work. */
const LONGEST_LIFE_MS = 4000;
const SETTLE_MS = 60_000;
/** Web processes, workers, and processes that are both. */
const casts = [['all'], ['web', 'worker'], ['web', 'worker', 'worker'], ['all', 'all']] as const;

let rig: KillRig;

beforeAll(async () => {
  rig = await openKillRig();
});
afterAll(() => rig?.close());

test(
  'whatever process is killed at whatever instant, specs end whole and nothing of people is lost',
  () =>
    seeded(async (random) => {
      let kills = 0;
      let specs = 0;
      while (kills < KILLS) {
        kills += await killAlong(random, Math.min(KILLS - kills, KILLS_A_SPEC));
        specs += 1;
      }
      expect(kills).toBe(KILLS);
      const figure = `${kills} kills, ${specs} specs merged, 0 invariants broken`;
      recordClaim({ claim: 'kill -9 of any process at a random instant', figure, seed: random.seed });
    }),
  sized(300_000, 3_600_000),
);

/** One spec from its label to its end, with at most so many kills on its way; answers how many there were. */
async function killAlong(random: Random, most: number): Promise<number> {
  await rig.cast(random.pick(casts));
  const issue = await rig.request();
  const commits: string[] = [];
  let kills = 0;
  for (; kills < most && !(await rig.isOver(issue)); kills += 1) {
    await rig.pass(random.int(LONGEST_LIFE_MS));
    await rig.actAsPeople(issue, { commits, pushes: random.int(2) === 1 });
    await rig.killOne(random);
    expect(await alwaysInvariants(rig, { peoplesCommits: commits })).toEqual([]);
  }
  await until(async () => {
    await rig.actAsPeople(issue, { commits, pushes: false });
    return rig.isOver(issue);
  }, SETTLE_MS);
  expect(await settledInvariants(rig, { peoplesCommits: commits }, SETTLE_MS)).toEqual([]);
  expect(await rig.endOf(issue)).toBe('merged');
  return kills;
}
