import { expect, test } from '@jest/globals';
import type { StepResult } from '../../src/runner/protocol.ts';
import { parseStep, phaseStep, taskPrefix, verifyPrefix } from '../../src/services/steps/names.ts';
import { stageOf } from '../../src/services/steps/stage.ts';

const prefix = taskPrefix(2, 1);
const at = { prefix, sandboxId: 'new', checkpointSha: 'before', baseSha: 'base' };

const agent = (sandbox: string, outcome: 'done' | 'failed' = 'done') => ({
  step: `${prefix}agent`,
  sandbox_id: sandbox,
  result: { kind: 'agent', outcome, output: null } as unknown as StepResult,
});
const commit = (sandbox: string, sha: string, empty = false) => ({
  step: `${prefix}commit`,
  sandbox_id: sandbox,
  result: { kind: 'commit', sha, empty } as unknown as StepResult,
});

test('work begins with the agent', () => {
  expect(stageOf([], at)).toEqual({ at: 'agent' });
});

test('what the agent did is committed, then pushed, then done', () => {
  expect(stageOf([agent('new')], at)).toEqual({ at: 'commit' });
  expect(stageOf([agent('new'), commit('new', 'after')], at)).toEqual({ at: 'push', sha: 'after' });
  const pushed = { ...at, checkpointSha: 'after' };
  expect(stageOf([agent('new'), commit('new', 'after')], pushed)).toEqual({ at: 'done', sha: 'after' });
});

test('an empty commit needs no push, even when it names the checkpoint', () => {
  expect(stageOf([agent('new'), commit('new', 'before', true)], at)).toEqual({ at: 'done', sha: null });
});

test('an empty commit on the base needs no push while there is no checkpoint', () => {
  const first = { ...at, checkpointSha: null };
  expect(stageOf([agent('new'), commit('new', 'base', true)], first)).toEqual({ at: 'done', sha: null });
});

test('an empty commit on top of one that never arrived is not done: that one is still to be pushed', () => {
  const stage = stageOf([agent('new'), commit('new', 'refused', true)], at);
  expect(stage).toEqual({ at: 'push', sha: 'refused' });
});

test('a failed agent is asked again', () => {
  expect(stageOf([agent('new', 'failed')], at)).toEqual({ at: 'agent' });
});

test('with a sandbox goes what its agent did and what it committed without a push', () => {
  expect(stageOf([agent('old')], at)).toEqual({ at: 'agent' });
  expect(stageOf([agent('old'), commit('old', 'after')], at)).toEqual({ at: 'agent' });
});

test('a commit of a lost sandbox that reached the checkpoint counts, though its push was never answered', () => {
  const reached = { ...at, checkpointSha: 'after' };
  expect(stageOf([agent('old'), commit('old', 'after')], reached)).toEqual({ at: 'done', sha: 'after' });
});

test('the runs of another task or attempt say nothing', () => {
  const other = { ...commit('new', 'after'), step: `${taskPrefix(2, 11)}commit` };
  expect(stageOf([other], at)).toEqual({ at: 'agent' });
});

test('names of steps are read back as they were written', () => {
  expect(parseStep(phaseStep('design', 1002))).toEqual({ of: 'phase', phase: 'design', attempt: 1002 });
  expect(parseStep(`${prefix}push`)).toEqual({ of: 'task', ordinal: 2, attempt: 1, stage: 'push' });
  expect(parseStep(`${verifyPrefix(3)}command`)).toEqual({ of: 'verify', attempt: 3, stage: 'command' });
  expect(parseStep('something:else')).toBeNull();
});
