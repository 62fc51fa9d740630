import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Line, openLine } from '../harness/line.ts';
import { until } from '../harness/until.ts';

let line: Line;

beforeAll(async () => {
  line = await openLine();
});
afterAll(() => line.close());

test('turns a labelled issue into a merged pull request and cleans up', async () => {
  await line.startHere();
  const issue = await line.request();
  const repo = line.world.repo.fullName;
  const spec = () => line.database.db('specs').where({ issue_number: issue }).first();
  await until(async () => (await spec())?.status === 'in_review', 25_000);
  const { pull_request_number: pull } = await spec();
  await line.api('PUT', `/repos/${repo}/pulls/${pull}/merge`, {});
  await until(async () => {
    const state = (await line.github.state()).repos[repo]!;
    const gone = Object.keys(state.branches).length === 1 && Object.keys(state.hiddenRefs).length === 0;
    return gone && (await spec()).status === 'merged';
  });
  expect((await spec()).status).toBe('merged');
});
