import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { recordClaim } from './claims.ts';
import { type CrashGroup, cellsOf, crashPhases } from './crash-cells.ts';
import { type Journey, strikePhase } from './crash-matrix.ts';
import { openCrashRig } from './crash-rig.ts';
import { settledInvariants } from './invariants.ts';

/** Claims of workers that were killed run out after 15 s, and some were taken at the end. */
const SETTLE_MS = 60_000;

/** The tests of one group of points: one spec goes through its life, and dies at each of them in each phase. */
export function crashMatrix(group: CrashGroup): void {
  const struck = new Set<string>();
  let journey: Journey & { failedIn: string | null };

  beforeAll(async () => {
    journey = { rig: await openCrashRig(), group, struck, failedIn: null };
  });
  afterAll(() => journey?.rig.close());

  describe(`a spec whose processes are killed at every point of "${group}"`, () => {
    test.each(crashPhases)('stays whole in %s', async (phase) => {
      // Each phase begins where the one before ended.
      expect(journey.failedIn).toBeNull();
      journey.failedIn = phase;
      await strikePhase(journey, phase);
      journey.failedIn = null;
    });

    test('has died in every cell of the matrix that is listed as within reach', () => {
      expect(cellsOf(group).filter((cell) => !struck.has(cell))).toEqual([]);
    });

    test('ends as one branch, one pull request and one status comment, merged and cleaned up', async () => {
      expect(journey.failedIn).toBeNull();
      expect(await settledInvariants(journey.rig, {}, SETTLE_MS)).toEqual([]);
      expect(await journey.rig.spec()).toMatchObject({ status: 'merged', round: 1 });
      recordClaim({
        claim: `killed at every point of "${group}" in every phase, a spec ends whole`,
        figure: `${struck.size} cells`,
      });
    });

    test('has used up no attempt, since the host was to blame', async () => {
      const { id } = (await journey.rig.spec())!;
      const { db } = journey.rig.database;
      expect(await db('spec_events').where({ spec_id: id, type: 'spec.phase_retry' })).toEqual([]);
      const reasons = await db('sandboxes').where({ spec_id: id }).distinct('end_reason');
      const blamed = reasons.map(({ end_reason }) => end_reason);
      expect(blamed.filter((reason) => !['done', 'host_restart', 'paused'].includes(reason))).toEqual([]);
    });
  });
}
