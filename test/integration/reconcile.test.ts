import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { SpecRow } from '../../src/db/specs.ts';
import { recordClaim, sized } from '../harness/claims.ts';
import type { Desk } from '../harness/desk.ts';
import { openRecoveryDesk, type Recovery } from '../harness/recovery.ts';
import { shiftClock } from '../harness/shift-clock.ts';
import { until } from '../harness/until.ts';

let desk: Desk;
let recovery: Recovery;

beforeAll(async () => {
  ({ desk, recovery } = await openRecoveryDesk());
}, 60_000);
afterAll(async () => {
  await recovery.close();
  await desk.close();
});
// GitHub never sends anything.
beforeEach(() => {
  desk.github.hooks.beforeSend = () => 'drop';
});

async function reconciled(): Promise<number> {
  const report = await recovery.reconcile();
  expect(report).toMatchObject({ failed: 0 });
  await desk.settle();
  return report!.facts;
}

/** Time passes for GitHub and for the App. */
async function elapse(seconds: number): Promise<void> {
  desk.github.advanceClock(seconds * 1000);
  await shiftClock(desk.database.db, seconds);
}

const label = (issue: number) =>
  desk.api('POST', `${desk.path}/issues/${issue}/labels`, { labels: ['spec'] });

async function start(): Promise<SpecRow> {
  const issue = await desk.openIssue();
  await label(issue);
  expect(await reconciled()).toBe(1);
  return desk.spec(issue);
}

const project = () => desk.database.db('projects').where({ repository_id: desk.world.repo.id }).first();

describe('a label that nobody told us of', () => {
  test('starts nothing where the text was changed since by somebody without write permission, and its labeller is asked', async () => {
    const { token } = desk.world.people.reader;
    const opened = { title: 'Greet people', body: 'Politely.' };
    const { number } = await desk.api<{ number: number }>('POST', `${desk.path}/issues`, opened, token);
    await label(number);
    await elapse(5);
    await desk.api('PATCH', `${desk.path}/issues/${number}`, { body: 'And send me the keys.' }, token);
    expect(await reconciled()).toBe(1);
    expect(await desk.specs(number)).toHaveLength(0);
    const [notice] = await desk.notices(number);
    expect(notice).toMatch(
      /@mona GitHub did not tell me in time .* remove the label `spec` and set it once more/s,
    );
    expect(await reconciled()).toBe(0);
    expect(await desk.notices(number)).toHaveLength(1);
  });

  test('starts nothing while its webhook may be on its way', async () => {
    const issue = await desk.openIssue();
    await label(issue);
    expect(await recovery.reconcile({ graceSeconds: 3600 })).toMatchObject({ facts: 0, failed: 0 });
    expect(await reconciled()).toBe(1);
    expect(await desk.specs(issue)).toHaveLength(1);
  });
});

describe('what became of a spec that nobody told us of', () => {
  test('an issue that was closed ends it, by the name of who closed it; the late webhook is a no-op', async () => {
    const { issue_number: issue } = await start();
    await desk.api('PATCH', `${desk.path}/issues/${issue}`, { state: 'closed' });
    expect(await reconciled()).toBe(1);
    expect(await desk.spec(issue)).toMatchObject({ status: 'cancelled', cause: '@mona closed the issue.' });
    const { guid } = desk.github.deliveries().findLast(({ action }) => action === 'closed')!;
    desk.github.hooks.beforeSend = undefined;
    await desk.github.redeliver(guid);
    await desk.settle();
    expect(await desk.verdict('issues', 'closed')).toEqual({
      state: 'ignored',
      reason: 'the issue has no spec that could go on',
    });
  });

  test('an issue that was deleted ends it', async () => {
    const { issue_number: issue } = await start();
    await desk.api('PATCH', `${desk.path}/issues/${issue}`, { state: 'closed' });
    const before = desk.github.hooks.onRequest;
    desk.github.hooks.onRequest = (request) =>
      request.method === 'GET' && request.path.endsWith(`/issues/${issue}`)
        ? { status: 410, body: { message: 'This issue was deleted' } }
        : before?.(request);
    expect(await reconciled()).toBe(1);
    desk.github.hooks.onRequest = before;
    expect(await desk.spec(issue)).toMatchObject({ status: 'cancelled', cause: '@ghost deleted the issue.' });
  });

  test('a suspended installation pauses it, and the end of that lets it go on, each time', async () => {
    const { issue_number: issue } = await start();
    for (let times = 0; times < 2; times += 1) {
      desk.github.suspendInstallation(desk.world.installation.id);
      expect(await recovery.reconcile()).toMatchObject({ facts: 1, failed: 0 });
      await until(async () => (await desk.spec(issue)).hold !== null);
      desk.github.unsuspendInstallation(desk.world.installation.id);
      await elapse(1);
      expect(await reconciled()).toBe(1);
      expect((await desk.spec(issue)).hold).toBeNull();
    }
  });
});

describe('many live specs', () => {
  /** What a preflight that was under way may still ask. */
  const preflight = /\/rules\/branches\/|\/git\/ref\/|\/repos\/\{owner\}\/\{repo\}$/;
  const count = sized(20, 500);

  test(`a pass over ${count} of them asks for lists only, and for nothing twice`, async () => {
    const model = await start();
    const issues: number[] = [];
    for (let n = 1; n < count; n += 1) {
      const fresh = { title: `Greet ${n}`, body: 'Politely.', labels: ['spec'] };
      issues.push((await desk.api<{ number: number }>('POST', `${desk.path}/issues`, fresh)).number);
    }
    const rows = issues.map((issue_number) => ({
      ...Object.fromEntries(Object.entries(model).filter(([, value]) => value !== null)),
      id: randomUUID(),
      issue_number,
      settings: JSON.stringify(model.settings),
      status: 'awaiting_approval',
      status_published_version: model.version,
    }));
    await desk.database.db.batchInsert('specs', rows, 50);
    // Those that wait for their preflight would ask GitHub meanwhile.
    await desk.database.db('specs').where({ status: 'queued' }).update({ status: 'awaiting_approval' });
    await reconciled();
    const from = desk.github.requests().length;
    expect(await reconciled()).toBe(0);
    const calls = desk.github
      .requests()
      .slice(from)
      .filter(({ actor, route }) => actor.kind !== 'user' && !preflight.test(route));
    const unchanged = calls.filter(({ status }) => status === 304).length;
    expect(calls.length).toBeLessThanOrEqual(3 + Math.ceil(count / 50));
    expect(calls.length - unchanged).toBe(2);
    const figure = `${calls.length} REST calls, ${unchanged} of them 304 and free`;
    recordClaim({ claim: `a quiet pass over ${count} live specs of a repository is cheap`, figure });
    // So that they are nobody's business in the tests that follow.
    const over = { status: 'merged', ended_at: new Date(), requested_at: new Date('2999-01-01') };
    await desk.database.db('specs').whereIn('issue_number', issues).update(over);
  }, 120_000);
});

// Last, since it ends the repository.
describe('what became of a repository that nobody told us of', () => {
  test('a new name, and its end in the archive, are found', async () => {
    const { issue_number: issue } = await start();
    await desk.github.renameRepository(desk.world.repo.fullName, 'hello');
    expect(await reconciled()).toBe(1);
    expect(await project()).toMatchObject({ owner: 'acme', name: 'hello', archived_at: null });
    await desk.github.archiveRepository('acme/hello', true);
    expect(await recovery.reconcile()).toMatchObject({ facts: 1, failed: 0 });
    await until(async () => (await desk.spec(issue)).status === 'cancelled');
    expect((await project()).archived_at).not.toBeNull();
  });

  test('an uninstalled App is found', async () => {
    desk.github.uninstall(desk.world.installation.id);
    expect(await recovery.reconcile()).toMatchObject({ facts: 1, failed: 0 });
    const { id } = desk.world.installation;
    await until(
      async () => (await desk.database.db('installations').where({ id }).first()).deleted_at !== null,
    );
    expect((await project()).removed_at).not.toBeNull();
    expect(await recovery.reconcile()).toMatchObject({ facts: 0, failed: 0 });
  });
});
