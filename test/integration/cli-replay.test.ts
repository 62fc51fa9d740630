import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runCli } from '../harness/cli.ts';
import { freshDatabase } from '../harness/database.ts';
import { type Line, openLine } from '../harness/line.ts';
import { until } from '../harness/until.ts';

let line: Line;
let issue: number;

beforeAll(async () => {
  line = await openLine();
  await line.startHere();
  issue = await line.request();
  await until(async () => (await spec())?.status === 'in_review', 30_000);
  await line.api(
    'PUT',
    `/repos/${line.world.repo.fullName}/pulls/${(await spec()).pull_request_number}/merge`,
    {},
  );
  await until(async () => (await spec()).status === 'merged', 10_000);
  await line.github.idle();
}, 60_000);
afterAll(() => line.close());

const spec = () => line.database.db('specs').where({ issue_number: issue }).first();
const labelled = () =>
  line.database.db('deliveries').where({ event: 'issues', action: 'labeled' }).orderBy('seq').first();

async function replay(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const run = runCli(['replay', ...args], { cwd: line.folder, env: { ...line.env, TMPDIR: line.folder } });
  return { code: await run.ended, stdout: run.stdout(), stderr: run.stderr() };
}

const counts = async () => ({
  specs: Number((await line.database.db('specs').count())[0]!.count),
  effects: Number((await line.database.db('effects').count())[0]!.count),
});

test('decides a delivery again in its lane, as GitHub is now, and doubles nothing', async () => {
  const { guid } = await labelled();
  const before = await counts();
  const { code, stdout } = await replay(guid);
  expect(stdout).toMatch(/^issues\.labeled of .* ended as handled: spec \S+ started/);
  expect(stdout).toContain('Now it ended as ignored: the issue was closed meanwhile');
  expect(code).toBe(0);
  expect(await counts()).toEqual(before);
});

test('rehearses a delivery, says what it would write, and keeps nothing of it', async () => {
  const number = await line.request('Wave');
  const status = async () =>
    (await line.database.db('specs').where({ issue_number: number }).first())?.status;
  await until(async () => (await status()) !== undefined, 10_000);
  const { guid } = await line.database
    .db('deliveries')
    .where({ action: 'labeled' })
    .orderBy('seq', 'desc')
    .first();
  const labels = `/repos/${line.world.repo.fullName}/issues/${number}/labels`;
  await line.api('DELETE', `${labels}/spec`);
  await until(async () => (await status()) === 'cancelled', 10_000);
  line.github.hooks.beforeSend = () => 'drop';
  await line.api('POST', labels, { labels: ['spec'] });
  const before = await counts();
  const { code, stdout } = await replay(guid, '--dry-run');
  line.github.hooks.beforeSend = undefined;
  expect({ code, stdout }).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('A rehearsal: nothing is kept'),
  });
  expect(stdout).toMatch(/^handled: spec \S+ started$/m);
  expect(stdout).toMatch(/^ {2}would write specs: spec \S+ is queued$/m);
  expect(stdout).toMatch(/^ {2}would write jobs: spec\.prepare /m);
  expect((await counts()).specs).toBe(before.specs);
});

test('runs a whole spec again on an emulated GitHub and shows each write', async () => {
  const { id } = (await spec()) as { id: string };
  const { code, stdout, stderr } = await replay(id.slice(0, 8));
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const repo = `/repos/${line.world.repo.fullName}`;
  for (const write of [`POST ${repo}/git/refs 201`, `POST ${repo}/pulls 201`, `DELETE ${repo}/git/refs/`])
    expect(stdout).toContain(write);
  expect(stdout).toContain('It ended as merged; in the record it is merged.');
});

test.each([
  ['nothing', [], /Name one delivery or one spec/],
  ['an unknown id', ['0f2d4b6c'], /no delivery and no spec "0f2d4b6c"/],
])('says what to name when given %s', async (_, args, words) => {
  const { code, stderr } = await replay(...args);
  expect(code).toBe(1);
  expect(stderr).toMatch(words);
});

test('says what to do with a database that is not the App’s', async () => {
  const empty = await freshDatabase({ template: 'template1' });
  const env = { ...line.env, DATABASE_URL: empty.url };
  const run = runCli(['replay', '0f2d4b6c'], { cwd: line.folder, env });
  expect(await run.ended).toBe(1);
  expect(run.stderr()).toMatch(/^The schema of this database is not up to date.*npm run migrate/);
  await empty.drop();
});
