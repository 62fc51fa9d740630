import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { RunRow } from '../../src/db/runs.ts';
import type { SpecRow } from '../../src/db/specs.ts';
import { settledInvariants } from '../harness/invariants.ts';
import { type ChildApp, type Line, openLine, quickScript } from '../harness/line.ts';
import { until } from '../harness/until.ts';

/** What is promised: after a kill the work goes on within this time, the start of the next process included. */
const GOES_ON_MS = 30_000;
/** Long enough for a look every 10 ms to find the agent at work. */
const AGENT_MS = 150;

interface Sight {
  readonly spec: SpecRow;
  /** The step that the runner is at. */
  readonly open: string;
}

/** In the order in which a spec comes by. */
const moments: readonly [string, (at: Sight) => boolean][] = [
  ['while it waits to be prepared', ({ spec }) => spec.status === 'queued'],
  ['in explore', ({ open }) => open.startsWith('phase:explore')],
  ['in requirements', ({ open }) => open.startsWith('phase:requirements')],
  ['in design', ({ open }) => open.startsWith('phase:design')],
  ['in tasks', ({ open }) => open.startsWith('phase:tasks')],
  ['in sync', ({ open }) => open.startsWith('phase:sync')],
  ['while the agent is at a task', ({ open }) => /^task:1:\d+:agent$/.test(open)],
  ['between commit and push', ({ open }) => /^task:2:\d+:push$/.test(open)],
  ['in verify', ({ open }) => open.startsWith('verify')],
  ['in publish', ({ spec }) => spec.status === 'publishing' && spec.head_sha === null],
  ['between branch and pull request', ({ spec }) => spec.status === 'publishing' && spec.head_sha !== null],
  ['in review', ({ spec }) => spec.status === 'in_review'],
  ['merged, but not yet cleaned up', ({ spec }) => spec.status === 'merged'],
];

let line: Line;
let app: ChildApp;

beforeAll(async () => {
  line = await openLine({ script: quickScript(AGENT_MS) });
  const content = Buffer.from('verify: sleep 0.3\n').toString('base64');
  const path = `/repos/${line.world.repo.fullName}/contents/.github/specwright.yml`;
  await line.api('PUT', path, { message: 'ci: check specs', content });
  app = await line.startChild();
});
afterAll(() => line.close());

describe('a spec whose worker is killed in every phase', () => {
  let issue: number;
  let goneAt: number;

  beforeAll(async () => {
    issue = await line.request();
    goneAt = Date.now();
  });

  test.each(moments)(
    'goes on within 30 s after kill -9 %s',
    async (name, reached) => {
      if (name.startsWith('merged')) await merge(issue);
      let sight: Sight | null = null;
      await until(async () => {
        sight = await look(issue);
        return sight !== null && reached(sight);
      }, GOES_ON_MS);
      expect(Date.now() - goneAt).toBeLessThan(GOES_ON_MS);
      app.kill('SIGKILL');
      goneAt = Date.now();
      expect((await app.exited).signal).toBe('SIGKILL');
      app = await line.startChild();
    },
    60_000,
  );

  test('ends as one branch, one pull request and one status comment, merged and cleaned up', async () => {
    expect(await settledInvariants(line)).toEqual([]);
    expect(await readSpec(issue)).toMatchObject({ status: 'merged', round: 1 });
  });

  test('has used up no attempt, since the host was to blame', async () => {
    const { id } = await readSpec(issue);
    const retries = await line.database.db('spec_events').where({ spec_id: id, type: 'spec.phase_retry' });
    expect(retries).toEqual([]);
    const reasons = await line.database.db('sandboxes').where({ spec_id: id }).distinct('end_reason');
    expect(new Set(reasons.map(({ end_reason }) => end_reason))).toEqual(new Set(['done', 'host_restart']));
  });
});

async function look(issue: number): Promise<Sight | null> {
  const spec = await readSpec(issue);
  if (!spec) return null;
  const run: RunRow | undefined = await line.database
    .db('runs')
    .where({ spec_id: spec.id, state: 'open' })
    .first();
  return { spec, open: run?.step ?? '' };
}

function readSpec(issue: number): Promise<SpecRow> {
  return line.database.db('specs').where({ issue_number: issue }).first();
}

async function merge(issue: number): Promise<void> {
  const { pull_request_number: pull } = await readSpec(issue);
  await line.api('PUT', `/repos/${line.world.repo.fullName}/pulls/${pull}/merge`, {});
}
