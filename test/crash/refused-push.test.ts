import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { settledInvariants } from '../harness/invariants.ts';
import { type Line, openLine } from '../harness/line.ts';
import { until } from '../harness/until.ts';

let line: Line;

beforeAll(async () => {
  line = await openLine();
});
afterAll(() => line.close());

test('work whose push was refused is done again from what GitHub has, and none of it is missing', async () => {
  let refusals = 0;
  line.github.hooks.onRequest = ({ kind, method, path }) => {
    const isPush = kind === 'git' && method === 'POST' && path.includes('git-receive-pack');
    if (!isPush || refusals > 0) return null;
    refusals += 1;
    return { status: 403 };
  };
  await line.startHere();
  const issue = await line.request();
  const spec = () => line.database.db('specs').where({ issue_number: issue }).first();
  await until(async () => (await spec())?.status === 'in_review', 25_000);
  const { id, pull_request_number: pull } = await spec();
  await line.api('PUT', `/repos/${line.world.repo.fullName}/pulls/${pull}/merge`, {});
  await until(async () => (await spec()).status === 'merged');
  expect(refusals).toBe(1);
  expect(await settledInvariants(line)).toEqual([]);
  const sandboxes = await line.database.db('sandboxes').where({ spec_id: id }).orderBy('generation');
  expect(sandboxes.map(({ end_reason }) => end_reason)).toEqual(['push_refused', 'done']);
  const retries = await line.database.db('spec_events').where({ spec_id: id, type: 'spec.phase_retry' });
  expect(retries.map(({ payload }) => payload.reason)).toEqual([expect.stringContaining('403')]);
});
