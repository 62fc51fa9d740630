import { describe, expect, test } from '@jest/globals';
import type { SpecRow } from '../../src/db/specs.ts';
import { type GateReport, reportOf } from '../../src/services/branches/report.ts';
import { defaultSettings, type Settings } from '../../src/services/settings/schema.ts';
import { approvalReason } from '../../src/services/spec/publish-approval.ts';
import { renderApproval } from '../../src/services/status/approval.ts';

function spec(publish: Settings['publish'], author_permission: string | null): SpecRow {
  const settings = { settings: { ...defaultSettings, publish }, problems: [] };
  return { settings, author_permission, author_login: 'hubot' } as unknown as SpecRow;
}

describe('finished work', () => {
  test.each([
    [null, 'write', null],
    [null, 'maintain', null],
    [null, 'admin', null],
    [null, 'bot', null],
    [null, 'triage', { kind: 'author', login: 'hubot' }],
    [null, 'read', { kind: 'author', login: 'hubot' }],
    [null, 'none', { kind: 'author', login: 'hubot' }],
    ['auto', 'none', null],
    ['after-approval', 'admin', { kind: 'settings' }],
    ['after-approval', null, { kind: 'settings' }],
    // Nobody was asked when specs of an older version began.
    [null, null, null],
  ] as const)(
    'under `publish: %s` of an author with %s waits because of %j',
    (publish, permission, reason) => {
      expect(approvalReason(spec(publish, permission))).toEqual(reason);
    },
  );
});

describe('the comment that asks for an approval', () => {
  const sha = 'a'.repeat(40);
  const base = {
    requester: 'mona',
    specId: '0a1b2c3d-0000-4000-8000-000000000000',
    label: 'spec',
    compareUrl: `https://github.test/acme/shop/compare/main...${sha}`,
  };
  const report = (over: Partial<GateReport> = {}): GateReport => ({
    ...reportOf(sha, { texts: [], isGenerated: () => false }),
    ...over,
  });

  test('says why, what, which commit and how to go on, and shows the difference without running it', () => {
    const hostile = '=== a.md\n+```\n+</details> @mona closes #1 <img src=x>\n+````';
    const files = [{ path: 'a.md', change: 'modified' as const, movedFrom: null, added: 3, removed: 0 }];
    const gate = report({ files, fileCount: 1, added: 3, diff: hostile });
    const text = renderApproval({ ...base, reason: { kind: 'author', login: 'hubot' }, gate });
    expect(text).toContain('@mona the work is done and checked.');
    expect(text).toContain('the issue was written by `hubot`, without write permission here');
    expect(text).toContain(`\`${sha}\`: 1 file, 3 lines added, 0 removed`);
    expect(text).toContain('set the label `spec:publish`');
    expect(text).toContain('- `a.md` modified, +3 −0');
    expect(text).toContain(`\`\`\`\`\`diff\n${hostile}\n\`\`\`\`\``);
  });

  test('stays within what GitHub takes', () => {
    const files = Array.from({ length: 300 }, (_, n) => ({
      path: `${'deep/'.repeat(40)}${n}`,
      change: 'added' as const,
      movedFrom: null,
      added: 1,
      removed: 0,
    }));
    const weakened = Array.from({ length: 100 }, (_, n) => ({
      kind: 'deleted' as const,
      path: `t/${'x'.repeat(250)}${n}`,
    }));
    const gate = report({ files, fileCount: 300, weakened, diff: 'x\n'.repeat(25_000) });
    const text = renderApproval({ ...base, reason: { kind: 'settings' }, gate });
    expect(text.length).toBeLessThanOrEqual(65_000);
    expect(text).toContain('- … and 200 more');
  });
});
