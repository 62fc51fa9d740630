import { describe, expect, test } from '@jest/globals';
import {
  renderArtifacts,
  renderClosedWithoutPull,
  renderDiffRefused,
  renderFailure,
  renderPreflightFailure,
  renderPullFailed,
  renderPullReady,
  renderRefusal,
  renderUnverified,
} from '../../src/services/status/comments.ts';
import { demoArtifacts } from '../harness/artifacts.ts';
import { pull, view } from '../harness/status-view.ts';

describe('a comment that needs a person', () => {
  const to = { requester: 'mona', specId: view.specId, label: 'spec' };
  const hostile = ['@evil fixes #1 <!-- x', 'fine'];
  const comments: Record<string, string> = {
    failure: renderFailure({
      ...to,
      phase: 'tasks',
      attempts: 3,
      cause: 'The plan did not pass.',
      failures: hostile,
      output: '```\n@evil #1',
    }),
    'pull request ready': renderPullReady({
      ...to,
      pull,
      taskCount: 3,
      requirementCount: 1,
      verified: true,
      refusals: [{ reason: hostile[0]! }],
    }),
    'pull request refused': renderPullFailed({
      ...to,
      cause: hostile[0]!,
      branch: 'spec/x',
      compareUrl: view.compareUrl,
    }),
    'nothing to change': renderClosedWithoutPull({ ...to, baseBranch: 'main' }),
    'rules broken': renderDiffRefused({ ...to, refusals: hostile.map((reason) => ({ reason })) }),
    preflight: renderPreflightFailure({ ...to, problems: ['The repository is archived. Unarchive it.'] }),
    refusal: renderRefusal({ sender: 'mona', label: 'spec', isBot: false }),
    unverified: renderUnverified({ sender: 'mona', label: 'spec' }),
  };

  test.each(Object.entries(comments))('%s: mentions that person alone and says what to do', (_name, text) => {
    expect(text.startsWith('@mona ')).toBe(true);
    expect(text).toContain('**What to do:**');
    // What stands in code blocks and spans pings nobody.
    const shown = text.replace(/(`{3,})[\s\S]*?\1/gu, '');
    expect(shown.match(/@\w+/gu)).toEqual(['@mona']);
    expect(shown).not.toMatch(/#1\b|<!--|undefined|null/);
  });

  test('of a failure says each reason once', () => {
    const reasons = ['R4 is served by no task.', 'R5 is not known.'];
    const text = renderFailure({
      ...to,
      phase: 'tasks',
      attempts: 3,
      cause: `The tasks phase failed 3 times: ${reasons.join(' ')}`,
      failures: reasons,
    });
    expect(text.match(/R4 is served by no task/g)).toHaveLength(1);
    expect(comments.failure).toContain('- fine');
  });

  test('of a refused pull request says where the work is', () => {
    expect(comments['pull request refused']).toContain('the work is safe on the branch `spec/x`');
    const unmoved = renderPullFailed({ ...to, cause: 'x', branch: 'spec/x', compareUrl: null });
    expect(unmoved).toContain('it is not on the branch `spec/x`');
    expect(unmoved).not.toContain('comparison');
  });

  test('counts in good English', () => {
    expect(comments['pull request ready']).toContain(
      '3 tasks for 1 requirement are done. The repository’s own check passed on it.',
    );
    expect(comments.preflight).toContain('1 thing in this repository or its settings stands in the way:');
  });

  test('cannot be sent to somebody else by an odd login', () => {
    expect(renderRefusal({ sender: 'x @evil', label: 'spec', isBot: true }).startsWith('@xevil ')).toBe(true);
    expect(renderRefusal({ sender: 'renovate[bot]', label: 'spec', isBot: true })).toContain(
      '@renovate[bot] no spec was started: bots may not',
    );
  });
});

describe('the artifacts comment', () => {
  test('has one collapsed section for each phase that is done', () => {
    const { explore, requirements } = demoArtifacts();
    const text = renderArtifacts({ explore, requirements }, view.specId);
    expect(text.match(/<details>/gu)).toHaveLength(2);
    expect(text).toContain('<summary>requirements: write testable requirements</summary>');
  });

  test('is cut within each section, so that every phase is there', () => {
    const artifacts = demoArtifacts();
    artifacts.design.architecture = `start\n\n${'word word\n\n'.repeat(500)}`;
    artifacts.design.components = Array.from({ length: 30 }, (_, n) => ({
      name: `c${n}`,
      files: [],
      responsibility: 'x'.repeat(600),
      requirements: [],
    }));
    artifacts.tasks.tasks = Array.from({ length: 100 }, () => ({
      ...artifacts.tasks.tasks[0]!,
      description: '```js\nlet a;\n\n```\n\n'.repeat(200).slice(0, 3990),
    }));
    const text = renderArtifacts(artifacts, view.specId);
    expect(text.length).toBeLessThanOrEqual(65_000);
    expect(text.length).toBeGreaterThan(50_000);
    expect(text.match(/<details>/gu)).toHaveLength(5);
    expect(text.match(/<\/details>/gu)).toHaveLength(5);
    expect(text).toContain('The rest is longer than GitHub takes here.');
    expect(text).toContain('Yes, the plan can be carried out.');
    const fences = text.match(/^```/gmu) ?? [];
    expect(fences.length % 2).toBe(0);
  });
});
