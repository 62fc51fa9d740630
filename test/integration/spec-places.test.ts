import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { hasPlace } from '../../src/db/spec-places.ts';
import { type Desk, openDesk } from '../harness/desk.ts';
import { pretendSandboxes } from '../harness/fault-lives.ts';
import { until } from '../harness/until.ts';

const AT_ONCE = 2;
const SPECS = 5;

let desk: Desk;

beforeAll(async () => {
  desk = await openDesk({ env: { SPECS_AT_ONCE: String(AT_ONCE) } });
  await pretendSandboxes(desk, desk.app.opened.deps.workerId);
  desk.github.hooks.onRequest = undefined;
}, 30_000);
afterAll(() => desk.close());

test('an installation has no more specs at work than it may, and each gets its turn in the order it came', async () => {
  const issues: number[] = [];
  while (issues.length < SPECS) {
    const issue = await desk.openIssue();
    issues.push(issue);
    await desk.api('POST', `${desk.path}/issues/${issue}/labels`, { labels: ['spec'] });
    await until(async () => (await desk.spec(issue)) !== undefined);
  }
  const rows = () => Promise.all(issues.map((issue) => desk.spec(issue)));
  const statuses = async () => (await rows()).map(({ status }) => status);
  const working = async () => (await rows()).filter(hasPlace).length;

  await until(async () => (await working()) === AT_ONCE);
  await desk.settle();
  expect(await statuses()).toEqual(['planning', 'planning', 'queued', 'queued', 'queued']);
  const last = (await desk.issue(issues.at(-1)!)).comments.map(({ body }) => body).join('\n');
  expect(last).toContain('Queued: number 3 of those that wait');
  expect(last).toContain('2 specs of this installation are at work');

  const started: number[] = issues.slice(0, AT_ONCE);
  for (const issue of issues.slice(AT_ONCE)) {
    // One that is at work ends, and the next one follows by itself.
    await desk.unlabel(started.shift()!);
    await until(async () => (await desk.spec(issue)).status === 'planning');
    started.push(issue);
    expect(await working()).toBe(AT_ONCE);
  }
  await desk.settle();
  expect(await statuses()).toEqual(['cancelled', 'cancelled', 'cancelled', 'planning', 'planning']);
});
