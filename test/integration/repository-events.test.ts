import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { SpecRow } from '../../src/db/specs.ts';
import type { Running } from '../../src/main.ts';
import { sweep } from '../../src/services/monitor/sweep.ts';
import { recordClaim, sized } from '../harness/claims.ts';
import { type Happening, happenings, type Place, type Stage, stages } from '../harness/happenings.ts';
import { type Line, openLine, quickScript } from '../harness/line.ts';
import { until } from '../harness/until.ts';

interface Cell {
  readonly happening: Happening;
  readonly stage: Stage;
}

/** Long enough for a person to come in between, in every run of the agent and in the repository's own check. */
const PAUSE_MS = 400;
const REST_MS = 60_000;

let line: Line;
let app: Running;

beforeAll(async () => {
  line = await openLine({ script: quickScript(PAUSE_MS) });
  app = await line.startHere();
  line.github.hooks.onRequest = ({ path, method }) => {
    const slow = path.includes('/rules/branches/') || (method === 'POST' && path.endsWith('/pulls'));
    return slow ? { delayMs: PAUSE_MS } : null;
  };
}, 30_000);
afterAll(() => line.close());

const all: Cell[] = happenings.flatMap((happening) =>
  stages.filter((stage) => happening.possible?.(stage) ?? true).map((stage) => ({ happening, stage })),
);
/** So many happenings at once, each in a repository of its own. */
const AT_ONCE = 7;

/** Every other happening, each at another stage. */
const some = happenings.flatMap((happening, i): Cell[] => {
  const possible = all.filter((cell) => cell.happening === happening);
  return i % 2 === 0 ? [possible[i % possible.length]!] : [];
});

let places = 0;

async function open(): Promise<Place> {
  const { github, world } = line;
  places += 1;
  const n = places;
  const [owner, installed, strange] = [`org-${n}`, `org-${n}-installed`, `org-${n}-strange`];
  for (const login of [owner, installed, strange]) github.createUser({ login, type: 'Organization' });
  const { login } = world.people.maintainer;
  const settings = `verify: sleep ${PAUSE_MS / 1000}\n`;
  await github.createRepository({
    owner,
    name: 'work',
    files: { 'README.md': '# Work\n', '.github/specwright.yml': settings },
  });
  github.addCollaborator({ repo: `${owner}/work`, login, permission: 'admin' });
  const { installationId } = await github.installApp({
    appId: world.app.id,
    account: owner,
    repositories: [`${owner}/work`],
  });
  await github.installApp({ appId: world.app.id, account: installed, repositories: 'all' });
  const api: Place['api'] = (method, path, body) => line.api(method, `/repos/${owner}/work${path}`, body);
  const { number: issue } = await api<{ number: number }>('POST', '/issues', {
    title: 'Greet',
    body: 'Kindly.',
  });
  const { id } = (await github.state()).repos[`${owner}/work`]!;
  const spec = async () =>
    line.database.db('specs').where({ repository_id: id, issue_number: issue }).first();
  await api('POST', `/issues/${issue}/labels`, { labels: ['spec'] });
  return { line, owner, repo: 'work', installationId, elsewhere: { installed, strange }, issue, spec, api };
}

const isAt = (spec: SpecRow | undefined, stage: Stage) =>
  spec !== undefined && (spec.status === stage || (spec.phase === stage && spec.status !== 'queued'));
const statusOf = (spec: SpecRow) => (spec.hold === null ? spec.status : 'paused');
const resting = ['in_review', 'pr_failed', 'merged', 'closed', 'failed', 'cancelled', 'paused'];

interface Outcome {
  readonly cell: string;
  readonly broken: readonly string[];
  /** From the happening until the spec rests and its sandbox is gone. */
  readonly ms: number;
}

async function play({ happening, stage }: Cell): Promise<Outcome> {
  const place = await open();
  await until(async () => isAt(await place.spec(), stage), REST_MS);
  const started = Date.now();
  await happening.happen(place);
  await line.github.idle();
  const ends = happening.ends(stage);
  const settled = async () => {
    const spec = await place.spec();
    return (
      resting.includes(statusOf(spec)) &&
      ends.includes(statusOf(spec)) &&
      (await sandboxes(spec)).length === 0
    );
  };
  const rests = await until(settled, REST_MS).then(
    () => true,
    () => false,
  );
  const ms = Date.now() - started;
  const spec = await place.spec();
  const broken = [
    ...(rests
      ? []
      : [
          `is ${statusOf(spec)} (${spec.cause}), not ${ends.join(' or ')}; sandboxes ${(await sandboxes(spec)).join(', ')}`,
        ]),
    ...(await tooManyComments(spec)),
  ];
  return { cell: `${happening.name} at ${stage}`, broken, ms };
}

const sandboxes = async ({ id }: SpecRow): Promise<string[]> =>
  line.database.db('sandboxes').where({ spec_id: id }).whereNot({ state: 'gone' }).pluck('state');

/** Beside the status, the plan and the word that the pull request is ready. */
async function tooManyComments({ id }: SpecRow): Promise<string[]> {
  const { repos } = await line.github.state();
  const comments = Object.values(repos).flatMap(({ issues }) => issues.flatMap((issue) => issue.comments));
  const notices = comments.filter(
    ({ body }) => body.includes(`effect=spec/${id}/notify/`) && !body.includes('/pull_ready/'),
  );
  return notices.length <= 1 ? [] : [`${notices.length} comments`];
}

/** What is still to be done for any spec, apart from one that is paused. */
async function unrest(): Promise<string[]> {
  const { rows } = await line.database.db.raw(
    `select 'effect ' || effect_key || ' ' || coalesce(last_error, '') as what from effects
       join specs on specs.id = spec_id where effects.state = 'pending' and specs.hold is null
     union all select 'job ' || name || ' ' || data::text from pgboss.job where state in ('created', 'retry', 'active')
       and not exists (select from effects join specs on specs.id = spec_id
         where effect_key = data ->> 'key' and specs.hold is not null)`,
  );
  return (rows as { what: string }[]).map(({ what }) => what);
}

/** All has been said and done: sweeps find nothing to ask of GitHub any more. */
async function expectRest(): Promise<void> {
  let left: string[] = [];
  await until(async () => {
    left = await unrest();
    return left.length === 0;
  }, REST_MS).catch(() => expect(left).toEqual([]));
  const before = line.github.requests().length;
  await sweep(app.opened.deps);
  await until(async () => (await unrest()).length === 0, REST_MS);
  expect(
    line.github
      .requests()
      .slice(before)
      .map(({ route }) => route),
  ).toEqual([]);
}

test(
  'whatever people do to a repository or an account, the spec ends or waits, and nothing is tried for ever',
  async () => {
    const cells = sized(some, all);
    const outcomes: Outcome[] = [];
    for (let i = 0; i < cells.length; i += AT_ONCE)
      outcomes.push(...(await Promise.all(cells.slice(i, i + AT_ONCE).map(play))));
    expect(outcomes.filter(({ broken }) => broken.length > 0)).toEqual([]);
    await expectRest();
    const slowest = Math.max(...outcomes.map(({ ms }) => ms));
    expect(slowest).toBeLessThan(REST_MS);
    recordClaim({
      claim:
        'repository and account events at any phase: the spec ends or waits, its sandbox goes, nothing is tried for ever',
      figure: `${outcomes.length} cells, at rest after at most ${(slowest / 1000).toFixed(1)} s`,
    });
  },
  sized(90_000, 1_200_000),
);
