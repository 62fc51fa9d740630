import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { CallRefusal } from '../../src/db/model-calls.ts';
import type { SpecRow } from '../../src/db/specs.ts';
import { endDueHolds } from '../../src/services/models/due-holds.ts';
import { advanceAlone } from '../../src/services/spec/advance.ts';
import { phaseStep } from '../../src/services/steps/names.ts';
import { takeResult } from '../../src/services/steps/result.ts';
import { type Desk, openDesk } from '../harness/desk.ts';
import { pretendSandboxes } from '../harness/fault-lives.ts';
import { until } from '../harness/until.ts';

let desk: Desk;
let issue: number;

let generations = 1;

beforeAll(async () => {
  desk = await openDesk();
  await pretendSandboxes(desk, desk.app.opened.deps.workerId);
}, 30_000);
afterAll(() => desk.close());

beforeEach(async () => {
  issue = await desk.openIssue();
  await desk.label(issue);
  const { id: specId } = await desk.spec(issue);
  const base = { baseBranch: 'main', baseSha: (await desk.repository()).branches.main! };
  await advanceAlone(desk.app.opened.deps, { specId, input: { type: 'prepared', ...base } });
});

const spec = () => desk.spec(issue);
const hold = async () => (await spec()).hold as { reason: string; until: string | null } | null;

/** An agent has failed after the last of its calls to a model was refused. */
async function failsFor(refusal: CallRefusal | null, retryAfter: number | null = null): Promise<SpecRow> {
  const { deps } = desk.app.opened;
  const { id: specId } = await spec();
  generations += 1;
  const generation = generations;
  await deps.db('specs').where({ id: specId }).update({ generation });
  const live = deps.db('sandboxes').where({ spec_id: specId, state: 'running' });
  const [{ id: sandboxId }] = (await live.update({ generation }).returning('id')) as [{ id: string }];
  const ids = { sandboxId, stepId: randomUUID() };
  const run = { id: ids.stepId, spec_id: specId, sandbox_id: ids.sandboxId, attempt: generation };
  await deps.db('runs').insert({ ...run, step: phaseStep('explore', 1), request: '{}', state: 'open' });
  await deps.db('model_calls').insert({
    id: randomUUID(),
    spec_id: specId,
    sandbox_id: ids.sandboxId,
    run_id: ids.stepId,
    api: 'anthropic',
    model: 'claude-opus-4-5',
    state: refusal?.by === 'us' ? 'refused' : 'settled',
    refusal: refusal === null ? null : JSON.stringify(refusal),
    retry_at: retryAfter === null ? null : new Date(Date.now() + retryAfter * 1000),
  });
  const result = { kind: 'agent', outcome: 'failed', output: null, reason: 'the model refused' } as const;
  const asking = { sandboxId: ids.sandboxId, specId, generation };
  expect(await takeResult(deps, asking, { stepId: ids.stepId, result })).toBe('accepted');
  await desk.settle();
  return spec();
}

const overBudget = {
  by: 'us',
  why: 'budget',
  scope: 'spec',
  told: 'the budget of this spec is used up: $5.10 of $5.00 are spent',
} as const;

async function minutesOfHold(): Promise<number> {
  return (Date.parse((await hold())!.until!) - Date.now()) / 60_000;
}

describe('a spec whose agent gets no model', () => {
  test('waits without an end when its own budget is used up, and says so where people are', async () => {
    const held = await failsFor(overBudget);
    expect(held).toMatchObject({ status: 'planning', phase: 'explore', attempt: 1 });
    expect(await hold()).toMatchObject({ reason: 'budget', until: null });
    const notices = await desk.notices(issue);
    expect(notices).toHaveLength(1);
    expect(notices[0]).toContain('$5.10 of $5.00');
    expect(notices[0]).toContain('set it once more');
    await until(async () => {
      const { comments } = await desk.issue(issue);
      return comments.some(({ body }) => body.includes('Waiting: the budget is used up'));
    }, 5000);
    await endDueHolds(desk.app.opened.deps);
    expect(await hold()).not.toBeNull();
  });

  test('goes on under the settings of now when its label is set again, and is not cancelled on the way', async () => {
    await failsFor(overBudget);
    await desk.unlabel(issue);
    expect((await spec()).status).toBe('planning');
    expect(await hold()).not.toBeNull();
    await desk.label(issue);
    expect(await hold()).toBeNull();
    expect(await spec()).toMatchObject({ status: 'planning', phase: 'explore', attempt: 1, cause: null });
    expect(await desk.specs(issue)).toHaveLength(1);
  });

  test('goes on at midnight when the budget is one of the day', async () => {
    await failsFor({ ...overBudget, scope: 'installation' });
    const { until } = (await hold())!;
    expect(new Date(until!).toISOString()).toMatch(/T00:00:00\.000Z$/);
    expect(await minutesOfHold()).toBeGreaterThan(0);
    expect(await desk.notices(issue)).toEqual([]);
    await desk.app.opened.deps
      .db('specs')
      .where({ id: (await spec()).id })
      .update({ hold: JSON.stringify({ ...(await hold()), until: new Date(Date.now() - 1000) }) });
    await endDueHolds(desk.app.opened.deps);
    expect(await hold()).toBeNull();
  });

  test('waits for a provider that is at its limit as long as that says, and longer each time without a word', async () => {
    await failsFor({ by: 'provider', why: 'quota' }, 7200);
    expect(await minutesOfHold()).toBeCloseTo(120, 0);
    const { deps } = desk.app.opened;
    const again = async () => {
      await advanceAlone(deps, { specId: (await spec()).id, input: { type: 'resumed', by: null } });
      await failsFor({ by: 'provider', why: 'overload' });
      return minutesOfHold();
    };
    expect(await again()).toBeCloseTo(10, 0);
    expect(await again()).toBeCloseTo(20, 0);
    const held = await deps.db('spec_events').where({ spec_id: (await spec()).id, type: 'spec.held' });
    expect(held).toHaveLength(3);
  });

  test('ends when the provider refuses the credential, with what the operator does', async () => {
    const ended = await failsFor({ by: 'provider', why: 'credential' });
    expect(ended).toMatchObject({ status: 'failed' });
    expect(ended.cause).toContain('credentials set');
  });

  test('uses up an attempt as ever when the model was not to blame', async () => {
    expect(await failsFor(null)).toMatchObject({ status: 'planning', attempt: 2, hold: null });
  });
});
