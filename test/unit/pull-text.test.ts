import { describe, expect, test } from '@jest/globals';
import { BODY_LIMIT, type PullBodyInput, pullBody } from '../../src/services/pulls/body.ts';
import { findTemplate, mergeTemplate } from '../../src/services/pulls/template.ts';
import { changeType, pullTitle } from '../../src/services/pulls/title.ts';
import { demoArtifacts } from '../harness/artifacts.ts';

const sha = (digit: string) => digit.repeat(40);

const input: PullBodyInput = {
  issueNumber: 7,
  specId: '0a1b2c3d-0000-4000-8000-000000000000',
  requester: 'mona',
  requirements: demoArtifacts().requirements,
  tasks: demoArtifacts().tasks.tasks.map((task, index) => ({ ...task, sha: sha(`${index + 1}`) })),
  verification: { command: 'npm test', code: 0, timedOut: false, outputTail: '# pass 11\n# fail 0' },
  deviations: [],
  refusals: [],
  gate: null,
  refusedHosts: [],
  template: null,
  agent: { name: 'claude', scripted: false },
  sandbox: { provider: 'local', isolated: true },
};

describe('the type of a change', () => {
  test.each([
    ['Bug', [], 'fix'],
    ['Feature', ['bug'], 'feat'],
    [null, ['spec', 'good first issue', 'documentation'], 'docs'],
    [null, ['enhancement'], 'feat'],
    [null, ['kind/bug'], 'fix'],
    [null, ['type: performance'], 'perf'],
    [null, ['tech-debt'], 'refactor'],
    ['Task', ['chore'], 'chore'],
    [null, ['debug', 'fixture'], 'feat'],
    [null, [], 'feat'],
  ])('of issue type %j and labels %j is %s', (type, labels, expected) => {
    expect(changeType({ type, labels })).toBe(expected);
  });
});

describe('the title of a pull request', () => {
  test.each([
    ['Greet by the hour', 'feat: Greet by the hour'],
    ['fix: stop it', 'fix: stop it'],
    ['Docs(api)!: say it', 'Docs(api)!: say it'],
    ['note: this is no type', 'feat: note: this is no type'],
    ['a\n\nb\u202e', 'feat: a b'],
    ['Fixes #12 @mona', 'feat: Fixes no. 12 mona'],
    ['', 'feat: update'],
  ])('from %j is %j', (title, expected) => {
    expect(pullTitle({ type: 'feat', title })).toBe(expected);
  });

  test('has at most 256 characters', () => {
    expect(pullTitle({ type: 'feat', title: '🙂'.repeat(5000) }).length).toBeLessThanOrEqual(256);
  });
});

describe('the body of a pull request', () => {
  test('says what, for which requirements, by which commits and with which proof', () => {
    const body = pullBody(input);
    expect(body).toMatch(/^## Summary\n/);
    expect(body).toContain(
      `| **R3** | IF the hour is not a whole number from 0 to 23, THEN the system SHALL throw a RangeError that says which hours there are. | TSK-001 (${sha('1')})<br>TSK-002 (${sha('2')}) |`,
    );
    expect(body).toContain('- **R4.2** The README lists');
    expect(body).toContain(`- [x] **TSK-003** Add a greet command and document it ${sha('3')}`);
    expect(body).toContain('✅ `npm test` ended with exit code 0, on the head of this branch.');
    expect(body).toContain('\nCloses #7\n');
    expect(body).toContain('the agent `claude`, in an isolated `local` sandbox');
    expect(body).toContain('`0a1b2c3d-0000-4000-8000-000000000000`');
    expect(body).not.toContain('Deviations');
  });

  test('says plainly when a script was at work, nothing was verified, or the sandbox was open', () => {
    const body = pullBody({
      ...input,
      verification: null,
      agent: { name: 'scripted', scripted: true },
      sandbox: { provider: 'local', isolated: false },
    });
    expect(body).toContain('the script `scripted`, not by a model, in a **not isolated** `local` sandbox');
    expect(body).toContain('This repository names no command to verify a change with, so none was run.');
  });

  test('lists what was done otherwise and what was not published', () => {
    const body = pullBody({
      ...input,
      deviations: ['TSK-003 was empty'],
      refusals: [{ path: '.gitmodules', reason: '".gitmodules" sets up submodules.' }],
    });
    expect(body).toContain(
      '## Deviations from the plan\n\n- TSK-003 was empty\n- Not published: ".gitmodules" sets up submodules.',
    );
  });

  test('lists hosts that the work asked for in vain', () => {
    const refusedHosts = [{ host: 'x.example', port: 443, times: 3 }];
    const body = pullBody({ ...input, refusedHosts });
    expect(body).toContain('Hosts that were asked for and not reached');
    expect(body).toContain('- `x.example` (3 times)');
    expect(pullBody(input)).not.toContain('not reached');
  });

  test('says of a check that failed or took too long that it did', () => {
    const verification = { command: 'make', code: 2, timedOut: false, outputTail: '' };
    expect(pullBody({ ...input, verification })).toContain('❌ `make` ended with exit code 2');
    expect(pullBody({ ...input, verification: { ...verification, timedOut: true } })).toContain(
      '❌ `make` did not end in time',
    );
  });

  test('closes no other issue and pings nobody, whatever the artifacts say', () => {
    const { requirements } = demoArtifacts();
    requirements.overview.goal = 'Fixes #99 for @mona <!-- and';
    requirements.requirements[0]!.text = 'The system SHALL close #98 | x';
    const body = pullBody({
      ...input,
      requirements,
      tasks: [{ ...input.tasks[0]!, title: 'resolves #97 </details>' }],
    });
    expect(body.match(/#\d+/gu)).toEqual(['#7']);
    expect(body).not.toMatch(/@\w/u);
    expect(body).not.toContain('<!--');
  });

  test('answers a template that asks what changes with the summary, the tasks behind it', () => {
    const body = pullBody({ ...input, template: '## What changes\n\n## Checklist\n\n- [ ] Tests' });
    const [changes = '', checklist = ''] = body.split(/^## /m).slice(1);
    expect(changes).toMatch(/^What changes\n+`greet` says/);
    expect(changes.indexOf('**TSK-001**')).toBeGreaterThan(changes.indexOf('`greet` says'));
    expect(checklist).toMatch(/^Checklist\n+- \[ \] Tests/);
  });

  test('fits into GitHub’s limit and still closes its issue', () => {
    const { requirements } = demoArtifacts();
    const many = Array.from({ length: 40 }, (_, n) => ({
      ...requirements.requirements[0]!,
      id: `R${n}`,
      text: '*|'.repeat(500),
      acceptance: Array.from({ length: 20 }, (_, m) => ({ id: `R${n}.${m}`, text: '_'.repeat(600) })),
    }));
    const tasks = Array.from({ length: 200 }, (_, n) => ({
      id: `TSK-${n}`,
      title: '[x]'.repeat(40),
      requirements: many.map(({ id }) => id),
      sha: sha('a'),
    }));
    const body = pullBody({
      ...input,
      requirements: { ...requirements, requirements: many },
      tasks,
      template: 'x\n'.repeat(30_000),
    });
    expect(body.length).toBeLessThanOrEqual(BODY_LIMIT);
    expect(body).toContain('Closes #7\n');
    expect(body).toContain('Spec `0a1b2c3d');
    expect(body).toContain('longer than GitHub takes here');
  });

  test('says less before it cuts', () => {
    const { requirements } = demoArtifacts();
    const acceptance = Array.from({ length: 20 }, (_, m) => ({ id: `R1.${m}`, text: 'a'.repeat(590) }));
    const large = requirements.requirements.flatMap((one) => [1, 2].map(() => ({ ...one, acceptance })));
    const body = pullBody({ ...input, requirements: { ...requirements, requirements: large } });
    expect(body).not.toContain('Acceptance criteria');
    expect(body).toContain('✅ `npm test`');
    expect(body).not.toContain('longer than GitHub');
  });
});

describe('the repository’s own template', () => {
  const template = [
    '<!-- Thanks! # Summary -->',
    '## Description',
    '',
    'What changed, and why.',
    '',
    '## Type of change',
    '',
    '- [ ] Bug fix',
    '- [ ] New feature',
    '',
    '### How has this been tested?',
    '',
    '## Related issue',
    '',
    '## Checklist',
    '',
    '- [ ] I read the guide',
  ].join('\n');

  test('keeps its words and gets our sections under its headings', () => {
    const body = pullBody({ ...input, template });
    const at = (text: string) => body.indexOf(text);
    const order = [
      '<!-- Thanks! # Summary -->',
      'What changed, and why.',
      '`greet` says Good morning',
      '## Type of change',
      '- [ ] New feature',
      '### How has this been tested?',
      '✅ `npm test`',
      '## Related issue',
      'Closes #7',
      '## Checklist',
      '- [ ] I read the guide',
      '## Requirements',
      '## Tasks',
    ].map(at);
    expect(order).not.toContain(-1);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect(body.match(/Closes #7/gu)).toHaveLength(1);
    expect(body).not.toContain('## Summary\n');
    expect(body).not.toContain('## Verification');
  });

  test('cannot swallow our text with a comment or a code block that it leaves open', () => {
    const part = { title: 'Ours', body: 'shown', belongsUnder: [] };
    expect(mergeTemplate('x\n<!-- open', [part])).toBe('x\n<!-- open\n-->\n\n## Ours\n\nshown');
    expect(mergeTemplate('x\n````\nopen', [part])).toBe('x\n````\nopen\n````\n\n## Ours\n\nshown');
    expect(mergeTemplate('<!-- a --> b <!-- c', [part])).toContain('-->\n\n## Ours');
  });

  test('is not looked into where it is code or a comment', () => {
    const merged = mergeTemplate('```\n## Summary\n```\n<!--\n## Summary\n-->\nend', [
      { title: 'Summary', body: 'ours', belongsUnder: ['summary'] },
    ]);
    expect(merged.endsWith('end\n\n## Summary\n\nours')).toBe(true);
  });

  test.each([
    [
      ['README.md', '.github/PULL_REQUEST_TEMPLATE.md', 'docs/pull_request_template.md'],
      '.github/PULL_REQUEST_TEMPLATE.md',
    ],
    [['docs/pull_request_template.txt', 'Pull_Request_Template.md'], 'Pull_Request_Template.md'],
    [['DOCS/PULL_REQUEST_TEMPLATE'], 'DOCS/PULL_REQUEST_TEMPLATE'],
    [['.github/PULL_REQUEST_TEMPLATE/only.md'], '.github/PULL_REQUEST_TEMPLATE/only.md'],
    [['.github/PULL_REQUEST_TEMPLATE/a.md', '.github/PULL_REQUEST_TEMPLATE/b.md'], null],
    [['src/pull_request_template.md', 'pull_request_template.md.bak'], null],
    [[], null],
  ])('is found among %j', (paths, found) => {
    expect(findTemplate(paths)).toBe(found);
  });
});
