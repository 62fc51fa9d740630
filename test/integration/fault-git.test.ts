import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { recordClaim, sized } from '../harness/claims.ts';
import {
  deniedPush,
  gatewayRoutes,
  gitFaults,
  gitForGood,
  gitLives,
  gitSilences,
  gitSites,
  listLate,
  liveWithGit,
} from '../harness/fault-git.ts';
import { buildHouse, type House, type Plan, strikeHouses } from '../harness/fault-houses.ts';
import type { Verdict } from '../harness/fault-verdict.ts';
import { type Line, openLine } from '../harness/line.ts';
import { liftWriteBudget } from '../harness/write-budget.ts';

let line: Line;
let built = 0;

beforeAll(async () => {
  line = await openLine();
  await liftWriteBudget(line.database.db);
  const limits = { core: 1e9, graphql: 1e9, anonymous: 1e9 };
  Object.assign(line.github.hooks, { limits, secondaryLimits: null });
  await line.startHere();
}, 30_000);
afterAll(() => line.close());

/** Sandboxes side by side: more would only wait for the processors. */
const BATCH = 8;

async function lived(plans: readonly Plan[], ms: number, batch = BATCH): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  for (let at = 0; at < plans.length; at += batch) {
    const houses: House[] = [];
    for (const plan of plans.slice(at, at + batch)) houses.push(await buildHouse(line, plan, built++));
    strikeHouses(line, houses, () => ({ earliest: Date.now(), latest: Date.now() }));
    for (const house of houses) if (house.plan === deniedPush) await listLate(line, house);
    verdicts.push(...(await liveWithGit(line, houses, ms)));
  }
  return verdicts;
}

const wrongOf = (verdicts: readonly Verdict[]) =>
  verdicts.flatMap(({ house, wrong }) => wrong.map((one) => `${house.plan.name}: ${one}`));
const otherwise = (verdicts: readonly Verdict[]) =>
  verdicts
    .filter(({ end }) => end !== 'converged')
    .map(({ house, end, status, missing, notices }) => [house.plan.name, end, status, missing, notices]);
const unstruck = (verdicts: readonly Verdict[]) =>
  verdicts.flatMap(({ house }) =>
    house.plan.faults
      .filter((_, index) => house.struck[index] === 0)
      .map(({ route, fault }) => `${house.plan.name}: ${route} ${fault.name}`),
  );

/** Pushes of a house's spec that the host has refused. */
async function refusedPushes({ repositoryId }: House): Promise<number> {
  const { db } = line.database;
  const specs = db('specs').where({ repository_id: repositoryId }).select('id');
  return (await db('pushes').whereIn('spec_id', specs).where({ state: 'refused' })).length;
}

const QUICK = 1;

describe('the matrix of git', () => {
  test('has every route that the gateway asks of the git host, and no other', () => {
    const { routes, calls } = gatewayRoutes();
    expect([...gitSites].toSorted()).toEqual(routes);
    expect(calls).toBe(3);
  });

  test('has every cell, and in its small size lost answers to pushes that were taken', () => {
    const cells = gitLives().flatMap(({ faults }) =>
      faults.map(({ route, fault }) => `${route} ${fault.name}`),
    );
    expect(new Set(cells).size).toBe(gitSites.length * gitFaults.length);
    const pushes = gitLives(QUICK).flatMap(({ faults }) => faults.slice(-1));
    expect(pushes.map(({ route, fault }) => [route, fault.afterCommit])).toEqual(
      pushes.map(() => ['POST /{owner}/{repo}.git/git-receive-pack', true]),
    );
  });
});

test(
  'a git call that goes wrong once costs no task and doubles none, whatever became of it',
  async () => {
    const started = Date.now();
    const plans = [deniedPush, ...gitLives(sized(QUICK, gitFaults.length))];
    const verdicts = await lived(plans, 60_000);
    expect(wrongOf(verdicts)).toEqual([]);
    expect(otherwise(verdicts)).toEqual([]);
    expect(unstruck(verdicts)).toEqual([]);
    expect(await refusedPushes(verdicts[0]!.house)).toBe(1);
    const seconds = Math.round((Date.now() - started) / 1000);
    recordClaim({
      claim: 'a git call to GitHub that goes wrong once costs no commit and doubles none',
      figure: `${(plans.length - 1) * gitSites.length + 1} cells in ${plans.length} lives with sandboxes, 0 otherwise, 0 doubled, ${seconds} s`,
    });
  },
  sized(90_000, 400_000),
);

// Skipped in the ordinary suite: silences of two minutes, and hundreds of tries with pauses between them.
const whole = sized(test.skip, test);

whole(
  'a host that falls silent costs minutes and nothing else',
  async () => {
    const verdicts = await lived(gitSilences(), 300_000);
    expect(wrongOf(verdicts)).toEqual([]);
    expect(otherwise(verdicts)).toEqual([]);
    expect(unstruck(verdicts)).toEqual([]);
  },
  400_000,
);

/** Four sandboxes, each with ten tries at most of a call that the gateway repeats three times. */
const MOST_REQUESTS = 400;

whole(
  'a git call that goes wrong for good ends in one clear message, and never in a retry for ever',
  async () => {
    const started = Date.now();
    const plans = gitForGood();
    const verdicts = await lived(plans, 500_000, plans.length);
    expect(wrongOf(verdicts)).toEqual([]);
    const silent = verdicts.filter(({ end }) => end === 'quiet');
    expect(silent.map(({ house, status, notices }) => [house.plan.name, status, notices])).toEqual([]);
    const most = Math.max(...verdicts.map(({ house }) => house.requests));
    expect(most).toBeLessThan(MOST_REQUESTS);
    const told = verdicts.filter(({ end }) => end === 'told').length;
    const seconds = Math.round((Date.now() - started) / 1000);
    recordClaim({
      claim:
        'a git call to GitHub that goes wrong for good ends in one clear message, never in a retry for ever',
      figure: `${plans.length} cells: ${told} told, ${verdicts.length - told} converged; at most ${most} requests; ${seconds} s`,
    });
  },
  600_000,
);
