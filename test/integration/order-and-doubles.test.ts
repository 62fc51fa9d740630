import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createDecider, endState, permutations, type Sent } from '../harness/arrange.ts';
import { recordClaim, sized } from '../harness/claims.ts';
import { type Line, openLine } from '../harness/line.ts';
import { seeded } from '../harness/random.ts';

let line: Line;
let decide: ReturnType<typeof createDecider>;

beforeAll(async () => {
  line = await openLine({ env: { ROLE: 'web' } });
  const limits = { core: 1e9, graphql: 1e9, anonymous: 1e9 };
  Object.assign(line.github.hooks, { limits, secondaryLimits: null });
  const app = await line.startHere();
  // What happens is kept and told by hand.
  line.github.setWebhookUrl(line.world.app.id, null);
  decide = createDecider(app.opened.deps);
  await line.database.db.raw('create table kept as select * from specs');
});
afterAll(() => line.close());

interface Scene {
  readonly issue: number;
  readonly branch: string;
  call(method: string, path: string, body?: object): Promise<{ number: number }>;
}

/** What GitHub told of an issue whose work was done and waited for its pull request. */
async function tell(act: (scene: Scene) => Promise<void>): Promise<Sent[]> {
  const { github, world, api } = line;
  const { db } = line.database;
  const call = (method: string, path: string, body?: object) =>
    api<{ number: number }>(method, `/repos/${world.repo.fullName}${path}`, body);
  await forget();
  const issue = await line.request();
  const [labeled] = told(0, ['issues.labeled']).slice(-1) as [Sent];
  await decide(labeled);
  const branch = await publishable();
  await db.raw('truncate kept');
  await db.raw('insert into kept select * from specs');
  const before = github.deliveries().length;
  await act({ issue, branch, call });
  return [labeled, ...told(before, HANDLED)];

  async function publishable(): Promise<string> {
    const { id }: { id: string } = await db('specs').first();
    const name = `spec/${id.slice(0, 8)}-greet`;
    const base = (await github.state()).repos[world.repo.fullName]!.branches.main!;
    await call('POST', '/git/refs', { ref: `refs/heads/${name}`, sha: base });
    await push(call, name, 'work');
    const head = (await github.state()).repos[world.repo.fullName]!.branches[name]!;
    await db('specs').update({ status: 'publishing', phase: 'publish', branch_name: name, head_sha: head });
    return name;
  }
}

const HANDLED = [
  ...['labeled', 'unlabeled', 'edited', 'closed', 'reopened'].map((action) => `issues.${action}`),
  ...['opened', 'synchronize', 'closed', 'reopened'].map((action) => `pull_request.${action}`),
];

function told(from: number, which: readonly string[]): Sent[] {
  return line.github
    .deliveries()
    .slice(from)
    .filter(({ event, action }) => which.includes(`${event}.${action}`))
    .map(({ event, payload }) => ({ event, payload: payload as Record<string, unknown> }));
}

async function push(call: Scene['call'], branch: string, name: string): Promise<void> {
  const content = Buffer.from(`${branch} ${name}`).toString('base64');
  await call('PUT', `/contents/${branch}/${name}.txt`, { message: name, content, branch });
}

async function forget(): Promise<void> {
  await line.database.db.raw('truncate specs, effects, spec_events, audit, pgboss.job cascade');
}

/** The spec as the events leave it, and what is still asked of GitHub. */
async function endOf(events: readonly Sent[]) {
  const { db } = line.database;
  await forget();
  await db.raw('insert into specs select * from kept');
  for (const event of events) await decide(event);
  const { specs, effects } = await endState(db);
  const last = effects!.filter((one) => one.includes('"delete_'));
  const [{ version }] = await db('specs').select('version');
  return { specs: specs!, last, version };
}

const nameOf = ({ event, payload }: Sent) => `${event}.${String(payload.action)}`;

describe.each([
  {
    end: 'merged',
    six: ['labeled', 'edited', 'opened', 'synchronize', 'closed', 'closed'],
    async act({ issue, branch, call }: Scene) {
      await call('PATCH', `/issues/${issue}`, { body: 'Say good evening too.' });
      const body = `Closes #${issue}`;
      const pull = await call('POST', '/pulls', { title: 'Greet', head: branch, base: 'main', body });
      await push(call, branch, 'more');
      await call('PUT', `/pulls/${pull.number}/merge`, {});
    },
  },
  {
    end: 'closed',
    six: ['labeled', 'edited', 'opened', 'synchronize', 'closed', 'closed'],
    async act({ issue, branch, call }: Scene) {
      await call('PATCH', `/issues/${issue}`, { title: 'Greet at night' });
      const pull = await call('POST', '/pulls', { title: 'Greet', head: branch, base: 'main' });
      await push(call, branch, 'more');
      await call('PATCH', `/pulls/${pull.number}`, { state: 'closed' });
      await call('PATCH', `/issues/${issue}`, { state: 'closed' });
    },
  },
  {
    end: 'in_review',
    six: ['labeled', 'edited', 'opened', 'closed', 'reopened', 'synchronize'],
    async act({ issue, branch, call }: Scene) {
      await call('PATCH', `/issues/${issue}`, { body: 'Say good evening too.' });
      const pull = await call('POST', '/pulls', { title: 'Greet', head: branch, base: 'main' });
      await call('PATCH', `/pulls/${pull.number}`, { state: 'closed' });
      await call('PATCH', `/pulls/${pull.number}`, { state: 'open' });
      await push(call, branch, 'more');
    },
  },
])('six events of an issue whose spec is $end in the end', ({ end, six, act }) => {
  test(
    'end alike in every order, and told again change nothing',
    () =>
      seeded(async (random) => {
        const events = await tell(act);
        expect(events.map(({ payload }) => String(payload.action)).toSorted()).toEqual(six.toSorted());
        const expected = await endOf(events);
        expect(expected.specs).toEqual([expect.stringContaining(`"status":"${end}"`)]);
        const orders = random.shuffle(permutations(events)).slice(0, sized(5, 720));
        for (const order of orders) {
          const { version, ...ended } = await endOf(order);
          expect({ order: order.map(nameOf), ...ended }).toEqual({
            order: order.map(nameOf),
            specs: expected.specs,
            last: expected.last,
          });
          const verdicts = [];
          for (const event of random.shuffle(order)) verdicts.push(await decide(event));
          expect(verdicts.filter(({ reason }) => !reason)).toEqual([]);
          expect((await line.database.db('specs').select('version'))[0].version).toBe(version);
        }
        recordClaim({
          claim: `every order of six events ends alike (${end}), and repeats change nothing`,
          figure: `${orders.length} orders`,
          seed: random.seed,
        });
      }),
    600_000,
  );
});
