import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Running } from '../../src/main.ts';
import { recordClaim, sized } from '../harness/claims.ts';
import { type FaultClock, ownClock } from '../harness/fault-clock.ts';
import { buildHouse, type House, type Plan, strikeHouses } from '../harness/fault-houses.ts';
import { liveThrough, pretendSandboxes } from '../harness/fault-lives.ts';
import {
  diagonal,
  directSites,
  elsewhere,
  everyCellForGood,
  everyCellOnce,
  mayMiss,
  sites,
} from '../harness/fault-matrix.ts';
import { judge, type Verdict } from '../harness/fault-verdict.ts';
import { fault, faults, PATIENCE_MS } from '../harness/faults.ts';
import { namedRoutes } from '../harness/github-calls.ts';
import { type Line, openLine } from '../harness/line.ts';
import { liftWriteBudget } from '../harness/write-budget.ts';

let line: Line;
let app: Running;
let clock: FaultClock;
let built = 0;

beforeAll(async () => {
  line = await openLine();
  await liftWriteBudget(line.database.db);
  clock = await ownClock(line.database.db);
  line.github.hooks.mergeOrder = 'issues_first';
  const limits = { core: 1e9, graphql: 1e9, anonymous: 1e9 };
  Object.assign(line.github.hooks, { limits, secondaryLimits: null });
  app = await line.startHere();
  await pretendSandboxes(line, app.opened.deps.workerId);
  const github = app.opened.deps.github.within({ timeoutMs: PATIENCE_MS });
  Object.assign(app.opened.deps, { github });
}, 30_000);
afterAll(() => line.close());

/** Lives that go on side by side: more would only wait for each other. */
const BATCH = 48;
const HOUR = 3600;

/** Lives every plan through and judges it. */
async function lived(plans: readonly Plan[], maxJumpedSeconds: number): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  for (let at = 0; at < plans.length; at += BATCH) {
    const houses: House[] = [];
    for (const plan of plans.slice(at, at + BATCH)) houses.push(await buildHouse(line, plan, built++));
    strikeHouses(line, houses, clock.now);
    const { unfinished } = await liveThrough({ line, app, clock }, houses, maxJumpedSeconds);
    expect(unfinished.map(({ plan }) => plan.name)).toEqual([]);
    const { repos } = await line.github.state();
    for (const house of houses) {
      const specs = line.database.db('specs').where({ repository_id: house.repositoryId });
      const spec = (await specs.orderBy('created_at', 'desc').first()) ?? null;
      verdicts.push(judge(house, { repo: repos[house.fullName]!, spec }));
    }
  }
  return verdicts;
}

const wrongOf = (verdicts: readonly Verdict[]) =>
  verdicts.flatMap(({ house, wrong }) => wrong.map((one) => `${house.plan.name}: ${one}`));

describe('the matrix', () => {
  test('has a row for every route that the source names, and no other', () => {
    const rows = [...sites, ...directSites].map(({ route }) => route);
    expect([...rows, ...elsewhere].toSorted()).toEqual(namedRoutes());
  });

  test('has every call and every fault in its diagonal, and each lost answer at each POST', () => {
    const struck = diagonal().flatMap((plan) => plan.faults);
    expect(
      sites.map(({ route }) => route).filter((one) => !struck.some(({ route }) => route === one)),
    ).toEqual([]);
    expect(faults.filter((one) => !struck.some((cell) => cell.fault.name === one.name))).toEqual([]);
    for (const { route } of sites.filter((site) => site.route.startsWith('POST '))) {
      const names = struck.filter((cell) => cell.route === route).map((cell) => cell.fault.name);
      expect(names).toEqual(expect.arrayContaining(['502 after commit', 'reset after commit']));
    }
  });
});

test(
  'a call that goes wrong once leaves no trace: every spec ends as without it, with one of everything',
  async () => {
    const started = Date.now();
    const plans = sized(diagonal(), everyCellOnce());
    const verdicts = await lived(plans, 2 * HOUR);
    expect(wrongOf(verdicts)).toEqual([]);
    const other = verdicts.filter(({ end }) => end !== 'converged');
    expect(other.map(({ house, end, missing, notices }) => [house.plan.name, end, missing, notices])).toEqual(
      [],
    );
    const unstruck = verdicts.flatMap(({ house }) =>
      house.plan.faults
        .filter((_, index) => house.struck[index] === 0)
        .map(({ route }) => `${house.plan.name}: ${route}`),
    );
    expect(unstruck).toEqual([]);
    const cells = plans.reduce((sum, plan) => sum + plan.faults.length, 0);
    const seconds = Math.round((Date.now() - started) / 1000);
    recordClaim({
      claim: 'a call to GitHub that goes wrong once changes nothing in the end, and doubles nothing',
      figure: `${cells} cells (${sites.length} calls × ${faults.length} faults) in ${plans.length} lives, 0 otherwise, 0 doubled, ${seconds} s`,
    });
  },
  sized(120_000, 1_800_000),
);

// Skipped in the ordinary suite: days of tries, and pauses that only time shortens, take minutes.
const whole = sized(test.skip, test);

whole(
  'a call that goes wrong for good ends in one clear message, or leaves out what only it could do',
  async () => {
    const started = Date.now();
    const plans = everyCellForGood();
    const verdicts = await lived(plans, 30 * HOUR);
    expect(wrongOf(verdicts)).toEqual([]);
    const silent = verdicts.filter(
      ({ end, house, missing }) =>
        end === 'quiet' && !missing.every((one) => mayMiss(house.plan.route).includes(one)),
    );
    expect(silent.map(({ house, status, missing }) => [house.plan.name, status, missing])).toEqual([]);
    const most = Math.max(0, ...verdicts.map(({ house }) => house.requests));
    expect(most).toBeLessThan(MOST_REQUESTS);
    const told = verdicts.filter(({ end }) => end === 'told').length;
    const seconds = Math.round((Date.now() - started) / 1000);
    recordClaim({
      claim: 'a call to GitHub that goes wrong for good ends in one clear message, never in a retry for ever',
      figure: `${plans.length} cells: ${told} told, ${verdicts.length - told} went on without; at most ${most} requests; ${seconds} s`,
    });
  },
  3_600_000,
);

/** A day of tries every five minutes, each of a few calls. */
const MOST_REQUESTS = 3000;

describe('a git token', () => {
  whole.each(faults.filter((one) => !one.quietSeconds).map(({ name }) => name))(
    'is revoked although the first try ends in %s',
    async (name) => {
      const [route] = directSites.map((site) => site.route);
      const house = await buildHouse(
        line,
        { name, faults: [{ route: route!, fault: fault(name), times: 1 }] },
        built++,
      );
      strikeHouses(line, [house], clock.now);
      const [owner = '', repo = ''] = house.fullName.split('/');
      const { installationId, repositoryId } = house;
      const { github } = app.opened.deps;
      const token = await github.mintGitToken({ installationId, repositoryId, owner, name: repo }, 'read');
      await github.revokeGitToken(installationId, token.token);
      const minted = line.github.installationTokens().find(({ secret }) => secret === token.token);
      expect(minted).toMatchObject({ live: false });
    },
    15_000,
  );
});
