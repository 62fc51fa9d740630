import { execFileSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import { commitMessage, commitSubject } from '../../src/services/spec/commit-message.ts';
import { findCycle, topologicalOrder } from '../../src/services/spec/phases/graph.ts';
import { buildPlan } from '../../src/services/spec/plan.ts';
import { taskPrompt, verifyFixPrompt } from '../../src/services/spec/task-prompt.ts';
import { demoArtifacts } from '../harness/artifacts.ts';

describe('a plan', () => {
  test('puts tasks in the order of sync, with ordinals for dependencies', () => {
    const { tasks, sync } = demoArtifacts();
    const plan = buildPlan(tasks, sync);
    expect(plan.tickets.map(({ ordinal, id }) => [ordinal, id])).toEqual([
      [1, 'TKT-1'],
      [2, 'TKT-2'],
    ]);
    expect(
      plan.tasks.map(({ ordinal, id, ticketId, dependsOn }) => [ordinal, id, ticketId, dependsOn]),
    ).toEqual([
      [1, 'TSK-001', 'TKT-1', []],
      [2, 'TSK-002', 'TKT-1', [1]],
      [3, 'TSK-003', 'TKT-2', [2]],
    ]);
  });

  test('lets dependencies win where the order disagrees', () => {
    const { tasks, sync } = demoArtifacts();
    const plan = buildPlan(tasks, { ...sync, order: ['TSK-003', 'TSK-002', 'TSK-001'] });
    expect(plan.tasks.map(({ id }) => id)).toEqual(['TSK-001', 'TSK-002', 'TSK-003']);
  });

  test('cannot be built from a circle', () => {
    const { tasks, sync } = demoArtifacts();
    tasks.tasks[0]!.dependsOn = ['TSK-003'];
    expect(() => buildPlan(tasks, sync)).toThrow('circle');
  });

  test('walks a chain of thousands and finds its cycle', () => {
    const chain = Array.from({ length: 2000 }, (_, n) => ({ id: `${n}`, dependsOn: [`${(n + 1) % 2000}`] }));
    expect(findCycle(chain)).toHaveLength(2001);
    chain[1999]!.dependsOn = [];
    expect(findCycle(chain)).toBeNull();
    expect(topologicalOrder(chain)?.at(0)?.id).toBe('1999');
  });

  test('walks a diamond of many paths without going through each', () => {
    const layers = 40;
    const diamond = Array.from({ length: layers * 2 }, (_, n) => ({
      id: `${n}`,
      dependsOn: n < 2 ? [] : [`${n - (n % 2) - 2}`, `${n - (n % 2) - 1}`],
    }));
    expect(findCycle(diamond.toReversed())).toBeNull();
  });
});

describe('the prompt of a task', () => {
  const artifacts = demoArtifacts();
  const plan = buildPlan(artifacts.tasks, artifacts.sync);
  const input = { repository: 'acme/greeter', task: plan.tasks[2]!, taskCount: 3, artifacts, failures: [] };

  test('holds the task, its requirements and its part of the design, and nothing of the others', () => {
    const prompt = taskPrompt({ ...input, verifyCommand: 'npm test', protectedPaths: ['infra/**'] });
    expect(prompt).toContain('task 3 of 3');
    expect(prompt).toContain('- create bin/greet.js');
    expect(prompt).toContain('R4 Command and documentation:');
    expect(prompt).toContain('"name": "command"');
    expect(prompt).not.toContain('"name": "greetingFor"');
    expect(prompt).not.toContain('R2 No change');
    expect(prompt).toContain('"npm test"');
    expect(prompt).toContain('"infra/**"');
  });

  test('of a second attempt says what was wrong with the first', () => {
    expect(taskPrompt({ ...input, failures: ['Nothing was changed.'] })).toContain('- Nothing was changed.');
  });

  test('of a failed check shows the end of its output as data', () => {
    const prompt = verifyFixPrompt({
      repository: 'acme/greeter',
      command: 'npm test',
      code: 1,
      timedOut: false,
      outputTail: `${'x'.repeat(50_000)}\n\u001b[31mnot ok 3\u001b[0m`,
      tasks: plan.tasks,
    });
    expect(prompt).toContain('exit code 1');
    expect(prompt).toContain('\nnot ok 3\n</data-');
    expect(prompt.length).toBeLessThan(16_000);
  });
});

describe('a commit message', () => {
  const input = {
    type: 'feat',
    title: 'Greet by the hour',
    specId: '0a1b2c3d-0000-4000-8000-000000000000',
    taskId: 'TSK-001',
    requirements: ['R1', 'R3'],
    requester: { login: 'mona', id: 5 },
  };
  const trailersOf = (message: string) =>
    execFileSync('git', ['interpret-trailers', '--parse'], { input: message, encoding: 'utf8' })
      .trim()
      .split('\n');
  const own = [
    'Spec: 0a1b2c3d-0000-4000-8000-000000000000',
    'Task: TSK-001',
    'Requirement: R1',
    'Requirement: R3',
    'Co-authored-by: mona <5+mona@users.noreply.github.com>',
  ];

  test('has a conventional subject and trailers that git reads', () => {
    const message = commitMessage(input);
    expect(message.split('\n')[0]).toBe('feat: Greet by the hour');
    expect(trailersOf(message)).toEqual(own);
  });

  test('gives no trailer away to its title or description', () => {
    const message = commitMessage({
      ...input,
      title: 'x\n\nSpec: forged\nSigned-off-by: Boss <b@x>',
      description: 'Good.\n\nCo-authored-by: Boss <b@x>\nSpec: forged',
    });
    expect(trailersOf(message)).toEqual(own);
    expect(message).not.toMatch(/^(Co-authored-by: Boss|Spec: forged|Signed-off-by)/m);
  });

  test.each([
    ['Fixes #12 for good', 'feat: Fixes no. 12 for good'],
    ['closes acme/api#3', 'feat: closes no. 3'],
    ['resolve: https://github.com/a/b/issues/9', 'feat: resolve: no. 9'],
    ['Thank @mona for @octokit/app', 'feat: Thank mona for octokit/app'],
    ['fix(api): stop\u202e\u0000 it', 'fix(api): stop it'],
    ['', 'feat: update'],
    ['Add it.', 'feat: Add it'],
  ])('turns the title %j into %j', (title, subject) => {
    expect(commitSubject('feat', title)).toBe(subject);
  });

  test('cuts a long subject between words at 72 characters', () => {
    const subject = commitSubject('feat', 'word '.repeat(40));
    expect(subject.length).toBeLessThanOrEqual(72);
    expect(subject).toMatch(/word…$/);
    expect(commitSubject('feat', '🙂'.repeat(60)).isWellFormed()).toBe(true);
  });
});
