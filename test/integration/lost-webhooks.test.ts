import { afterEach, describe, expect, test } from '@jest/globals';
import { recordClaim, sized } from '../harness/claims.ts';
import { type Desk, openDesk } from '../harness/desk.ts';
import { type Random, seeded } from '../harness/random.ts';
import { type Recovery, recoveryOf } from '../harness/recovery.ts';

interface Rig {
  readonly desk: Desk;
  readonly recovery: Recovery;
}

const open: Rig[] = [];

async function openRig(): Promise<Rig> {
  const desk = await openDesk();
  const rig = { desk, recovery: recoveryOf(desk.app) };
  open.push(rig);
  return rig;
}

afterEach(async () => {
  for (const { desk, recovery } of open.splice(0)) {
    await recovery.close();
    await desk.close();
  }
});

type Loss = (desk: Desk) => void;

/** Two passes of each kind, as they come one after the other. */
async function twoCycles({ desk, recovery }: Rig, kinds: { sweep: boolean }): Promise<void> {
  await desk.github.idle();
  for (let cycle = 0; cycle < 2; cycle += 1) {
    if (kinds.sweep) await recovery.sweep();
    await desk.settle();
    expect(await recovery.reconcile()).toMatchObject({ failed: 0 });
    await desk.settle();
  }
}

const ends = ['merge', 'close', 'reopen', 'unlabel', 'close issue', 'delete branch', 'push'] as const;
type Fate = (typeof ends)[number];

async function end(desk: Desk, issue: number, how: Fate): Promise<void> {
  const { pull_request_number: pull, branch_name: branch } = await desk.spec(issue);
  const at = `${desk.path}/pulls/${pull}`;
  if (how === 'merge') await desk.api('PUT', `${at}/merge`, {});
  if (how === 'close' || how === 'reopen') await desk.api('PATCH', at, { state: 'closed' });
  if (how === 'reopen') await desk.api('PATCH', at, { state: 'open' });
  if (how === 'unlabel') await desk.api('DELETE', `${desk.path}/issues/${issue}/labels/spec`);
  if (how === 'close issue') {
    await desk.api('PATCH', at, { state: 'closed' });
    await desk.api('PATCH', `${desk.path}/issues/${issue}`, { state: 'closed' });
  }
  if (how === 'delete branch') await desk.api('DELETE', `${desk.path}/git/refs/heads/${branch}`);
  if (how === 'push') {
    const file = { message: 'By hand', content: Buffer.from(`${issue}`).toString('base64'), branch };
    await desk.api('PUT', `${desk.path}/contents/by-hand-${issue}.txt`, file);
  }
}

/** Many specs from label to their ends by people, with deliveries lost at each step; answers how each ended. */
async function live(
  rig: Rig,
  fates: readonly Fate[],
  how: { lose: Loss; sweep: boolean },
): Promise<string[]> {
  const { desk } = rig;
  how.lose(desk);
  const issues: number[] = [];
  for (const fate of fates) {
    const issue = await desk.openIssue(`Greet, then ${fate}`);
    await desk.api('POST', `${desk.path}/issues/${issue}/labels`, { labels: ['spec'] });
    issues.push(issue);
  }
  await twoCycles(rig, how);
  expect(await unheard(desk, issues)).toEqual([]);
  for (const issue of issues) await pullByHand(desk, issue);
  await twoCycles(rig, how);
  for (const [n, issue] of issues.entries()) await end(desk, issue, fates[n]!);
  await twoCycles(rig, how);
  return Promise.all(issues.map((issue) => stateOf(desk, issue)));
}

/** What became of the label of issues without a spec. */
async function unheard(desk: Desk, issues: readonly number[]): Promise<object[]> {
  const { rows } = await desk.database.db.raw(
    `select lane, guid, state, reason from deliveries where event = 'issues' and action = 'labeled'
       and not exists (select from specs where lane like '%#' || issue_number)`,
  );
  const specs = await Promise.all(issues.map((issue) => desk.spec(issue)));
  const without = issues.filter((_, n) => specs[n] === undefined);
  return without.map((issue) => ({ issue, labels: rows }));
}

async function pullByHand(desk: Desk, issue: number): Promise<void> {
  // However long the test takes, nobody else takes up the publishing.
  const updated_at = new Date('2999-01-01');
  await desk.database.db('specs').where({ issue_number: issue }).update({ updated_at });
  const head = await desk.publish(issue);
  const pull = { title: 'Greet', head, base: 'main', body: 'By hand' };
  await desk.api('POST', `${desk.path}/pulls`, pull);
}

async function stateOf(desk: Desk, issue: number): Promise<string> {
  const specs = await desk.specs(issue);
  const [spec] = specs;
  const { branches } = await desk.repository();
  const there = branches[spec!.branch_name!];
  const known = there === undefined || there === spec!.head_sha;
  return [
    `${specs.length} spec`,
    spec!.status,
    there === undefined ? 'branch gone' : 'branch there',
    known ? 'head known' : 'head unknown',
  ].join(', ');
}

const lossless: Loss = () => {};
const losing =
  (random: Random): Loss =>
  (desk) => {
    desk.github.hooks.beforeSend = () => (random.next() < 0.3 ? 'drop' : 'send');
  };

/** What people do, and where it leads when every webhook arrives. */
const wanted: Readonly<Record<Fate, string>> = {
  merge: 'merged, branch gone, head known',
  close: 'closed, branch there, head known',
  reopen: 'in_review, branch there, head known',
  unlabel: 'cancelled, branch there, head known',
  'close issue': 'closed, branch there, head known',
  'delete branch': 'closed, branch gone, head known',
  push: 'in_review, branch there, head known',
};

/** The losses of a run, and by what they are found. */
const runs = [
  { name: 'by reconciliation alone', sweep: false, lossy: true },
  { name: 'by redelivery and reconciliation', sweep: true, lossy: true },
  { name: 'none lost', sweep: false, lossy: false },
];

describe('three of ten webhooks are lost', () => {
  test.each(runs.slice(0, sized(1, 3)))(
    'every end is as if none were: $name',
    async ({ name, sweep, lossy }) => {
      await seeded(async (random) => {
        const all = random.shuffle(ends);
        const fates = sized(all.slice(0, 3), Array<Fate[]>(3).fill(all).flat());
        const rig = await openRig();
        const found = await live(rig, fates, { lose: lossy ? losing(random) : lossless, sweep });
        expect(found).toEqual(fates.map((fate) => `1 spec, ${wanted[fate]}`));
        const sent = rig.desk.github.deliveries();
        const lost = sent.filter(({ outcome }) => outcome === 'dropped').length;
        expect(lost > 0).toBe(lossy);
        const figure = `${fates.length} specs, ${sent.length} deliveries, ${lost} lost, same ends in 2 cycles a step`;
        recordClaim({ claim: `lost webhooks change no end state (${name})`, figure, seed: random.seed });
      });
    },
    300_000,
  );
});
