import { describe, expect, test } from '@jest/globals';
import { statuses } from '../../src/services/spec/states.ts';
import { renderStatus } from '../../src/services/status/render.ts';
import { duration, headline, nextStep } from '../../src/services/status/sentences.ts';
import { at, pull, view } from '../harness/status-view.ts';

describe('the status comment', () => {
  test('shows phases with marks and times, tasks with commits, links and what happens next', () => {
    const text = renderStatus(view);
    expect(text).toMatch(/^## 🔨 Building: 1 of 3 tasks done\n/);
    expect(text).toContain('| ✅ | **explore**: read the repository | 2.0 s |  |');
    expect(text).toContain('| ✅ | **tasks**: cut it into tasks | 2.0 s | attempt 2 of 3 |');
    expect(text).toContain('| ⏳ | **execute**: carry out the tasks | since 14:02:10 UTC |  |');
    expect(text).toContain('| ⬜ | **publish**: publish the branch and open the pull request |  |  |');
    expect(text).toContain(`- [x] **TSK-001** Add the hours ${'1'.repeat(40)}`);
    expect(text).toContain('- [ ] **TSK-002** Greet by them ⏳');
    expect(text).toContain(
      '[`spec/0a1b2c3d-greet`](https://github.test/acme/greeter/tree/spec/0a1b2c3d-greet)',
    );
    expect(text).toContain('**What happens next:** When every task is done');
    expect(text).toContain(
      'Spec `0a1b2c3d-0000-4000-8000-000000000000` · asked for by `mona` · agent `claude` · sandbox `local` · started 2025-03-01 14:02 UTC',
    );
    expect(text).not.toMatch(/WARNING|NOTE|undefined|null/);
  });

  test('shows why an attempt was not accepted, without breaking its table', () => {
    const failed = { ...view.phases[3]!, state: 'failed' as const, attempt: 3, failures: ['a | b', 'c'] };
    expect(renderStatus({ ...view, phases: [failed] })).toContain(
      '| ❌ | **tasks**: cut it into tasks | 2.0 s | attempt 3 of 3: a \\| b (and 1 more) |',
    );
  });

  test('warns when the sandbox is open, and says when a script is at work', () => {
    const text = renderStatus({
      ...view,
      sandbox: { provider: 'local', isolated: false },
      agent: { name: 'scripted', scripted: true },
    });
    expect(text).toContain('> [!WARNING]\n> The sandbox is **not isolated**');
    expect(text).toContain('> [!NOTE]\n> A script (`scripted`) and not a model is at work here');
    expect(text).toContain('agent `scripted` (a script) · sandbox `local` (not isolated)');
  });

  test.each(statuses)('has a headline and a next step for %s', (status) => {
    for (const of of [
      { ...view, status },
      { ...view, status, pull },
      { ...view, status, phase: null, branch: null, tasks: [], compareUrl: null },
    ]) {
      expect(headline(of).length).toBeGreaterThan(5);
      expect(nextStep(of)).toMatch(/\.$/);
      expect(renderStatus(of)).not.toMatch(/undefined|null/);
    }
  });

  test('of a failed spec says why and how to try again', () => {
    const text = renderStatus({
      ...view,
      status: 'failed',
      cause: 'R4 is served by no task',
      endedAt: at(59),
    });
    expect(text).toContain('**Why:** R4 is served by no task');
    expect(text).toContain('remove the label `spec` and set it once more');
    expect(text).toContain('took 59 s');
  });

  test('shows what models have cost, and what is no exact figure as that', () => {
    const models = { spent: 420_000, limit: 5_000_000, about: false };
    expect(renderStatus({ ...view, models })).toContain(' · models $0.42 of $5.00 · ');
    expect(renderStatus({ ...view, models: { ...models, about: true } })).toContain('models about $0.42');
  });

  test('lists hosts that were asked for in vain', () => {
    const refusedHosts = [
      { host: 'x.example', port: 443, times: 3 },
      { host: 'y.example', port: 80, times: 1 },
    ];
    const text = renderStatus({ ...view, refusedHosts });
    expect(text).toContain('`x.example` (3 times), `y.example:80` (once)');
    expect(text).toContain('`.github/specwright.yml`');
  });

  test('of a spec in the queue says its number, and that of a budget how to go on', () => {
    const queued = renderStatus({ ...view, status: 'queued', waiting: { place: 3, atWork: 2 } });
    expect(queued).toContain('number 3 of those that wait');
    expect(queued).toContain('2 specs of this installation are at work');
    const held = renderStatus({ ...view, hold: { reason: 'budget', until: null }, cause: 'It is used up.' });
    expect(held).toContain(
      'It is used up. When that is settled, remove the label `spec` and set it once more.',
    );
    expect(held).toContain('To end it, close this issue.');
  });

  test('of a spec that waits says for what and until when', () => {
    const text = renderStatus({ ...view, hold: { reason: 'quota', until: '2025-03-01T15:00:00Z' } });
    expect(text).toMatch(/^## ⏸️ Waiting: for a limit to pass/);
    expect(text).toContain('It goes on by itself at 2025-03-01 15:00 UTC.');
  });

  test('of an ended spec is not about what it waited for', () => {
    expect(headline({ ...view, status: 'merged', pull, hold: { reason: 'paused', until: null } })).toBe(
      '🎉 Merged in #8',
    );
  });

  test('calls a deleted branch deleted and links to nothing that is gone', () => {
    const text = renderStatus({
      ...view,
      status: 'merged',
      pull,
      branch: { ...view.branch!, deleted: true },
      mergeSha: '9'.repeat(40),
    });
    expect(text).toContain('`spec/0a1b2c3d-greet` (deleted)');
    expect(text).not.toContain('/tree/');
    expect(text).not.toContain('/compare/');
  });

  test('says why a branch was kept, and promises nothing of one that is still there', () => {
    const merged = { ...view, status: 'merged' as const, pull };
    const kept = { ...view.branch!, deleted: false, kept: 'it is protected' };
    expect(nextStep({ ...merged, branch: kept })).toContain('The branch was kept: it is protected.');
    expect(nextStep({ ...merged, branch: { ...kept, kept: null } })).toContain('is about to be deleted.');
  });

  test('links the pull request by its number, without invisible characters', () => {
    const text = renderStatus({ ...view, status: 'in_review', pull });
    expect(text).toContain('- Pull request: [#8](https://github.test/acme/greeter/pull/8)');
    expect(text).not.toContain('\u200b');
  });

  test('says of a check that is not set up that nothing was run', () => {
    const verify = { ...view.phases[6]!, state: 'done' as const, startedAt: at(1), endedAt: at(1) };
    const note = 'no command is set, so nothing was run';
    expect(renderStatus({ ...view, phases: [{ ...verify, note }] })).toContain(`| 0.0 s | ${note} |`);
  });

  test('takes the sentence that it is given for what happens next', () => {
    expect(renderStatus({ ...view, nextStep: 'Have a tea.' })).toContain(
      '**What happens next:** Have a tea.',
    );
  });

  test('stays within GitHub’s limit and harmless with hostile titles', () => {
    const tasks = Array.from({ length: 300 }, (_, n) => ({
      id: `TSK-${n}`,
      title: '@mona fixes #1 <!-- ]| '.repeat(40),
      state: 'pending' as const,
      sha: null,
    }));
    const text = renderStatus({ ...view, tasks, cause: '@mona '.repeat(500), status: 'failed' });
    expect(text.length).toBeLessThanOrEqual(65_000);
    expect(text).toContain('- and 200 more');
    expect(text).toContain('<sub>Spec');
    expect(text).not.toMatch(/@mona|#1\b|<!--/);
  });
});

test('durations read like a person would say them', () => {
  expect([-5, 400, 9_960, 12_400, 60_000, 185_000, 3_600_000, 7_800_000].map(duration)).toEqual([
    '0.0 s',
    '0.4 s',
    '10 s',
    '12 s',
    '1 min',
    '3 min 5 s',
    '1 h',
    '2 h 10 min',
  ]);
});
