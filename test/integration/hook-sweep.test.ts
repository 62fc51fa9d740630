import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { GitHub } from '../../src/github/client.ts';
import { sweepDeliveries } from '../../src/services/monitor/hook-sweep.ts';
import type { Desk } from '../harness/desk.ts';
import { quickScript } from '../harness/line.ts';
import { openRecoveryDesk, type Recovery, recoveryOf } from '../harness/recovery.ts';
import { shiftClock } from '../harness/shift-clock.ts';

const HOUR_MS = 3_600_000;

let desk: Desk;
let recovery: Recovery;

beforeAll(async () => {
  ({ desk, recovery } = await openRecoveryDesk());
}, 60_000);
afterAll(async () => {
  await recovery.close();
  await desk.close();
});
beforeEach(() => {
  desk.github.hooks.beforeSend = undefined;
});

/** Sets the trigger label while no webhook gets through; answers issue and GUID of the lost delivery. */
async function labelUnheard(how: 'fail' | 'lose'): Promise<{ issue: number; guid: string }> {
  const issue = await desk.openIssue();
  await desk.github.idle();
  if (how === 'fail') desk.github.setWebhookUrl(desk.world.app.id, 'http://127.0.0.1:9/nobody');
  else desk.github.hooks.beforeSend = () => 'lose';
  await desk.api('POST', `${desk.path}/issues/${issue}/labels`, { labels: ['spec'] });
  await desk.github.idle();
  desk.github.hooks.beforeSend = undefined;
  desk.github.setWebhookUrl(desk.world.app.id, `${desk.app.url}/api/github/webhooks`);
  const guid = desk.github.deliveries().findLast(({ action }) => action === 'labeled')!.guid;
  return { issue, guid };
}

/** The App was away for so long (after the two hours that GitHub is ahead), by GitHub's clock and its own. */
async function away(hours: number): Promise<void> {
  await recovery.close();
  desk.github.advanceClock(hours * HOUR_MS);
  await shiftClock(desk.database.db, (hours + 2) * 3600);
  await desk.play(quickScript());
  recovery = recoveryOf(desk.app);
}

const missed = (guid: string) => desk.database.db('missed_deliveries').where({ guid }).first();

describe('a webhook that GitHub could not deliver', () => {
  test('is asked for again within three days, and after that found in the state of the repository', async () => {
    const forgotten = await labelUnheard('fail');
    desk.github.advanceClock(2 * HOUR_MS);
    const kept = await labelUnheard('fail');
    await away(71);
    expect(await recovery.sweep()).toMatchObject({ redelivered: 1, fed: 0 });
    await desk.settle();
    expect(await desk.spec(kept.issue)).toMatchObject({ requester_login: 'mona' });
    expect(await desk.spec(forgotten.issue)).toBeUndefined();
    expect(await recovery.reconcile()).toMatchObject({ facts: 1, failed: 0 });
    await desk.settle();
    const spec = await desk.spec(forgotten.issue);
    expect(spec).toMatchObject({ requester_login: 'mona' });

    // Both again: nothing more follows.
    expect(await recovery.sweep()).toMatchObject({ redelivered: 0, fed: 0 });
    expect(await recovery.reconcile()).toMatchObject({ facts: 0, failed: 0 });
    expect(await missed(kept.guid)).toMatchObject({ state: 'arrived', attempts: 1 });
    await desk.github.redeliver(kept.guid);
    await desk.settle();
    expect(await desk.specs(kept.issue)).toHaveLength(1);

    // The spec ended, its issue and label stayed, and then the delivery that was lost comes after all.
    const ended_at = new Date();
    await desk.database.db('specs').where({ id: spec.id }).update({ status: 'closed', ended_at });
    await desk.github.redeliver(forgotten.guid);
    await desk.settle();
    const reason = `the label is older than the request that spec ${spec.id} follows`;
    expect(await desk.verdict('issues', 'labeled')).toEqual({ state: 'ignored', reason });
    expect(await desk.specs(forgotten.issue)).toHaveLength(1);
  });

  test('is given up after six tries with an error in the log, and never keeps the others', async () => {
    const first = await labelUnheard('fail');
    const second = await labelUnheard('fail');
    const refused = String(
      desk.github.deliveries().find(({ guid, redelivery }) => guid === first.guid && !redelivery)!.id,
    );
    const before = desk.github.hooks.onRequest;
    desk.github.hooks.onRequest = (request) =>
      request.method === 'POST' && request.path.includes(`/${refused}/attempts`)
        ? { status: 500 }
        : before?.(request);
    expect(await recovery.sweep()).toMatchObject({ redelivered: 1, givenUp: 0 });
    await desk.settle();
    expect(await desk.specs(second.issue)).toHaveLength(1);
    expect(await missed(first.guid)).toMatchObject({ state: 'open', attempts: 1 });
    expect(await recovery.sweep()).toMatchObject({ redelivered: 0, givenUp: 0 });
    const due = { attempts: 6, retry_at: new Date(0) };
    await desk.database.db('missed_deliveries').where({ guid: first.guid }).update(due);
    expect(await recovery.sweep()).toMatchObject({ redelivered: 0, givenUp: 1 });
    expect(await missed(first.guid)).toMatchObject({ state: 'given_up' });
    desk.github.hooks.onRequest = before;
  });
});

describe('a webhook that GitHub believes delivered', () => {
  test('is read and put into the inbox when it is not there', async () => {
    const { issue, guid } = await labelUnheard('lose');
    expect(await recovery.sweep()).toMatchObject({ redelivered: 0, fed: 1 });
    await desk.settle();
    expect(await desk.spec(issue)).toMatchObject({ requester_login: 'mona' });
    expect(await missed(guid)).toMatchObject({ state: 'fed' });
  });

  test('stays with whoever acknowledged it before this deployment swept for the first time', async () => {
    const { issue, guid } = await labelUnheard('lose');
    const later = JSON.stringify({ since: new Date(Date.now() + 400 * HOUR_MS).toISOString() });
    await desk.database.db('sweeps').where({ name: 'deliveries' }).update({ state: later });
    expect(await recovery.sweep()).toMatchObject({ redelivered: 0, fed: 0 });
    expect(await desk.specs(issue)).toHaveLength(0);
    expect(await missed(guid)).toMatchObject({ state: 'arrived' });
  });
});

/** Pages of one delivery each, newest first; answers the cursors that were asked for. */
function pagesOf(count: number): { asked: (string | undefined)[]; github: GitHub } {
  const asked: (string | undefined)[] = [];
  const callAsApp = (_route: string, { cursor }: { cursor?: string }) => {
    asked.push(cursor);
    const page = Number(cursor ?? 0);
    const link = `<https://api.github.com/app/hook/deliveries?cursor=${page + 1}>; rel="next"`;
    const delivered_at = new Date(Date.now() + 73 * HOUR_MS - page * 60_000).toISOString();
    const one = {
      id: page + 1,
      guid: `g${page}`,
      delivered_at,
      status_code: 200,
      event: 'ping',
      action: null,
    };
    return Promise.resolve({ data: [one], headers: page + 1 < count ? { link } : {} });
  };
  const github = { ...desk.app.opened.deps.github, callAsApp: callAsApp as unknown as GitHub['callAsApp'] };
  return { asked, github };
}

describe('the sweep', () => {
  test('reads twenty pages at most, goes on where it stopped, and then back to where it began', async () => {
    await desk.database.db('sweeps').where({ name: 'deliveries' }).update({ state: '{}' });
    const { asked, github } = pagesOf(25);
    const deps = { ...desk.app.opened.deps, github };
    const pass = async () => {
      asked.length = 0;
      await sweepDeliveries(deps, recovery.intake, { windowDays: 3, pauseSeconds: 0 });
      return [asked[0], asked.length];
    };
    expect(await pass()).toEqual([undefined, 20]);
    expect(await pass()).toEqual(['20', 5]);
    const [first, pages] = await pass();
    expect(first).toBeUndefined();
    expect(pages).toBeLessThan(20);
    const [{ state }] = await desk.database.db('sweeps').where({ name: 'deliveries' });
    expect(state).toMatchObject({ cursor: null, startedAt: null });
  });

  test('is one process at a time, at its times, and reads only what is new', async () => {
    const lease = { lease_owner: desk.app.opened.deps.workerId, lease_until: new Date('2999-01-01') };
    await desk.database.db('sweeps').where({ name: 'deliveries' }).update(lease);
    expect(await recovery.sweep()).toBeNull();
    await desk.database.db('sweeps').where({ name: 'deliveries' }).update({ lease_until: null });
    expect(await recovery.sweep({ pauseSeconds: 60 })).toBeNull();
    const from = desk.github.requests().length;
    expect(await recovery.sweep()).not.toBeNull();
    const routes = desk.github
      .requests()
      .slice(from)
      .map(({ route }) => route);
    expect(routes.filter((route) => route === 'GET /app/hook/deliveries')).toHaveLength(1);
  });
});
