import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ofGitHub } from '../../src/cli/doctor/doctor.ts';
import { loadConfig } from '../../src/config.ts';
import { addCommentReaction } from '../../src/github/reactions.ts';
import { recordClaim, sized } from '../harness/claims.ts';
import { type Desk, openDesk } from '../harness/desk.ts';
import {
  commentReactionRoute,
  doctorRoutes,
  elapse,
  feltTimes,
  freshClient,
  heard,
  heardInTime,
  type Passed,
  passFor,
  placeRoute,
  type RecoverySite,
  recoverySites,
  retire,
  under,
  unheard,
} from '../harness/fault-recovery.ts';
import { faults, type NamedFault, PATIENCE_MS } from '../harness/faults.ts';
import { type Recovery, recoveryOf } from '../harness/recovery.ts';
import { until } from '../harness/until.ts';

let desk: Desk;
let recovery: Recovery;

beforeAll(async () => {
  desk = await openDesk();
  recovery = recoveryOf(desk.app);
  // The first passes find what there was before the App ran.
  await recovery.sweep();
  await recovery.reconcile();
  await desk.settle();
}, 60_000);
afterAll(async () => {
  await recovery.close();
  await desk.close();
});

/** Longer than the pause after a failure, and than every limit that a fault tells; twice is not enough for a spec that waits. */
const PAUSE_SECONDS = 400;

interface Cell<S> {
  readonly site: S;
  readonly fault: NamedFault;
}

/** One fault for each, another one each time; or each with all. */
function cellsOf<S>(sites: readonly S[]): Cell<S>[] {
  const slow = faults.filter(({ name }) => name !== 'timeout');
  return sized(
    sites.map((site, at) => ({ site, fault: slow[(at * 7) % slow.length]! })),
    sites.flatMap((site) => faults.map((fault) => ({ site, fault }))),
  );
}

const nameOf = ({ site, fault }: Cell<RecoverySite>) => `${site.route}: ${fault.name}`;

/** Three passes over something unheard, of which the first meets the fault. What is wrong then, in sentences. */
async function missedAndFound(cell: Cell<RecoverySite>): Promise<string[]> {
  const { site, fault } = cell;
  const { issue, guid } = await unheard(desk, site.found);
  const before = desk.github.deliveries().length;
  const strike = { route: site.route, fault, times: feltTimes(site.route, fault) };
  const { deps } = desk.app.opened;
  if (fault.name === 'timeout')
    Object.assign(deps, { github: deps.github.within({ timeoutMs: PATIENCE_MS }) });
  const { got: first, struck } = await under(desk, strike, () => passFor(recovery, site.found));
  await heard(desk);
  await elapse(desk, PAUSE_SECONDS);
  const second = await passFor(recovery, site.found);
  await heard(desk);
  const rescue = (await givenUp(guid)) ? await passFor(recovery, 'label') : { news: 0, again: false };
  await heard(desk);
  await elapse(desk, PAUSE_SECONDS);
  const third = await passFor(recovery, site.found);
  await heard(desk);
  const resent = desk.github
    .deliveries()
    .slice(before)
    .filter((one) => one.guid === guid && one.redelivery);
  const specs = await desk.specs(issue);
  await retire(desk, issue);
  const passes = [first, second, rescue, third] as const;
  const wrong = judge({ site, struck, passes, resent: resent.length, specs });
  return wrong.map((one) => `${nameOf(cell)}: ${one}`);
}

const givenUp = async (guid: string) =>
  (await desk.database.db('missed_deliveries').where({ guid, state: 'given_up' })).length > 0;

interface Seen {
  readonly site: RecoverySite;
  readonly struck: number;
  readonly passes: readonly [Passed, Passed, Passed, Passed];
  readonly resent: number;
  readonly specs: readonly object[];
}

function judge({ site, struck, passes, resent, specs }: Seen): string[] {
  const [first, second, rescue, third] = passes;
  const holds = (what: string, so: boolean) => (so ? [] : [what]);
  const swept = site.found === 'refused webhook' || site.found === 'lost webhook';
  return [
    ...holds('the fault never struck', struck > 0),
    ...holds(`the pass after it was no better: ${JSON.stringify(passes)}`, !second.again && !third.again),
    ...holds(
      `told ${JSON.stringify(passes)}`,
      swept ? third.news === 0 : first.news + second.news === 1 && third.news === 0,
    ),
    ...holds(`${resent} redeliveries`, resent <= (site.found === 'refused webhook' ? 1 : 0)),
    ...holds(`${specs.length} specs`, specs.length === 1),
    ...holds(`found by the other pass ${rescue.news} times`, rescue.news <= 1),
  ];
}

/** What the doctor says of GitHub while a call goes wrong for good, with a client that knows of no limit yet. */
async function diagnosed({ site: route, fault }: Cell<string>): Promise<string[]> {
  const read = loadConfig(desk.env);
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  const { config } = read;
  const gh = freshClient(desk).within({ timeoutMs: PATIENCE_MS });
  const strike = { route, fault, times: Number.POSITIVE_INFINITY };
  const { got, struck } = await under(desk, strike, () => ofGitHub(config, gh));
  const wrong = got.filter(({ verdict }) => verdict === 'wrong');
  const clear = wrong.length === 1 && /^[^.]+(\.\w[^.]*)*\.$/.test(wrong[0]!.says) && Boolean(wrong[0]!.fix);
  const said = wrong.map(({ about, says, fix }) => `${about}: ${says} ${fix}`).join(' | ');
  return clear && struck > 0 ? [] : [`${route}: ${fault.name} (${struck}): ${said}`];
}

describe('specwright doctor', () => {
  test(
    'says in one sentence which of its questions GitHub does not answer, whatever comes instead',
    async () => {
      const wrong: string[] = [];
      for (const cell of cellsOf(doctorRoutes)) wrong.push(...(await diagnosed(cell)));
      expect(wrong).toEqual([]);
    },
    sized(30_000, 400_000),
  );
});

describe('a pass that finds what no webhook told', () => {
  const cells = cellsOf(recoverySites);

  test.each(recoverySites)(
    'loses nothing that it has to find when it asks $route in vain, and tells nothing twice',
    async ({ route }) => {
      const started = Date.now();
      const wrong: string[] = [];
      const own = cells.filter(({ site }) => site.route === route);
      for (const cell of own) wrong.push(...(await missedAndFound(cell)));
      expect(wrong).toEqual([]);
      recordClaim({
        claim: `a pass whose call ${route} goes wrong is tried again and tells nothing twice`,
        figure: `${own.length} faults, 0 lost, 0 doubled, ${Math.round((Date.now() - started) / 1000)} s`,
      });
    },
    sized(30_000, 300_000),
  );
});

test(
  'where a repository is gets asked again, and its removal and return are both known in the end',
  async () => {
    desk.github.createUser({ login: 'beta', type: 'Organization' });
    await desk.github.createRepository({ owner: 'beta', name: 'one', files: { a: 'b' } });
    const fresh = { owner: 'beta', name: 'two', files: { a: 'b' } };
    const { id, fullName } = await desk.github.createRepository(fresh);
    const installed = { appId: desk.world.app.id, account: 'beta', repositories: ['one', 'two'] };
    const { installationId } = await desk.github.installApp(installed);
    await desk.settle();
    const removed = async () =>
      (await desk.database.db('projects').where({ repository_id: id }).first()).removed_at !== null;
    const { excludeRepository, includeRepository } = desk.github;
    for (const [at, { fault, site: route }] of cellsOf([placeRoute, placeRoute]).entries()) {
      const leaves = at % 2 === 0;
      const strike = { route, fault, times: 1, repositoryId: id };
      const { struck } = await under(desk, strike, async (times) => {
        (leaves ? excludeRepository : includeRepository)(installationId, fullName);
        await until(() => times() === 1).catch(() => {}); // told by what is expected below, with its name
      });
      await heardInTime(desk, PAUSE_SECONDS);
      expect([fault.name, struck, await removed()]).toEqual([fault.name, 1, leaves]);
    }
  },
  sized(20_000, 200_000),
);

test(
  'a reaction to a comment is there once, however often its answer was lost',
  async () => {
    const [owner = '', name = ''] = desk.world.repo.fullName.split('/');
    const at = { installationId: desk.world.installation.id, repositoryId: desk.world.repo.id, owner, name };
    const issue = await desk.openIssue();
    const { id: comment } = await desk.api<{ id: number }>('POST', `${desk.path}/issues/${issue}/comments`, {
      body: 'Hello.',
    });
    for (const { fault, site: route } of cellsOf([commentReactionRoute])) {
      const react = () =>
        addCommentReaction(desk.app.opened.deps.github, at, { comment, content: 'confused' });
      const { struck } = await under(desk, { route, fault, times: 1 }, () => react().catch(() => null));
      expect([fault.name, struck]).toEqual([fault.name, 1]);
      await elapse(desk, PAUSE_SECONDS);
      await react();
    }
    const reactions = await desk.api<unknown[]>('GET', `${desk.path}/issues/comments/${comment}/reactions`);
    expect(reactions).toHaveLength(1);
  },
  sized(20_000, 100_000),
);
