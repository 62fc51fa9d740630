import { describe, expect, test } from '@jest/globals';
import { type ChangedText, compareLines } from '../../src/services/branches/checks/lines.ts';
import { weakenedTests } from '../../src/services/branches/checks/weakened-tests.ts';
import { reportOf } from '../../src/services/branches/report.ts';
import { gateSections } from '../../src/services/pulls/checked.ts';

function changed(path: string, before: string, after: string, over: Partial<ChangedText> = {}): ChangedText {
  return { path, change: 'modified', movedFrom: null, ...compareLines(before, after), ...over };
}

const found = (...texts: ChangedText[]) => weakenedTests(texts);

describe('tests that a change weakens', () => {
  test('are files of tests that it deletes, not other files and not those that only move', () => {
    const gone = (path: string) => changed(path, 'x', '', { change: 'deleted' });
    expect(found(gone('test/a.js'), gone('src/a.js'), gone('pkg/a_test.go'), gone('docs/test/x.md'))).toEqual(
      [
        { kind: 'deleted', path: 'test/a.js' },
        { kind: 'deleted', path: 'pkg/a_test.go' },
      ],
    );
    const to = (path: string) => changed(path, '', '', { change: 'added', movedFrom: 'test/a.test.js' });
    expect(found(to('test/unit/a.test.js'))).toEqual([]);
    expect(found(to('old/a.txt'))).toEqual([{ kind: 'deleted', path: 'test/a.test.js' }]);
  });

  test.each([
    ['a.test.ts', "  it('rejects x', () => {", 'rejects x'],
    ['a.spec.js', 'test("rejects x", async () => {', 'rejects x'],
    ['a.test.ts', "describe('rejects x', () => {", 'rejects x'],
    ['test_a.py', '    def test_rejects(self):', 'test_rejects'],
    ['test_a.py', 'async def test_rejects():', 'test_rejects'],
    ['a_test.go', 'func TestRejects(t *testing.T) {', 'TestRejects'],
    ['a_spec.rb', "  it 'rejects x' do", 'rejects x'],
    ['ATests.swift', '  func testRejects() {', 'testRejects'],
    ['ATest.php', '  public function testRejects() {', 'testRejects'],
    ['a_test.cc', 'TEST_F(Suite, Rejects) {', 'Suite, Rejects'],
    ['a.test.exs', '  test "rejects x" do', 'rejects x'],
    ['a.feature', '  Scenario: rejects x', 'rejects x'],
  ])('in %s are cases that are taken out: %s', (path, line, name) => {
    expect(found(changed(path, `a\n${line}\nb`, 'a\nb'))).toEqual([
      { kind: 'cases_removed', path, count: 1, names: [name] },
    ]);
    expect(found(changed(path, 'a\nb', `a\n${line}\nb`))).toEqual([]);
  });

  test.each([
    ['src/lib.rs', '    #[test]'],
    ['src/lib.rs', '    #[tokio::test]'],
    ['ATest.java', '  @Test'],
    ['ATests.cs', '  [Fact]'],
  ])('in %s are marks of cases that become fewer: %s', (path, line) => {
    expect(found(changed(path, `${line}\n${line}\n`, `${line}\n`))).toEqual([
      { kind: 'cases_removed', path, count: 1, names: [] },
    ]);
    expect(found(changed(path, `${line}\nfn a() {}`, `${line}\nfn b() {}`))).toEqual([]);
  });

  test('are not cases that stand in another file or with another body now', () => {
    const out = changed('a.test.ts', "it('x', () => {\n", '');
    expect(found(out, changed('b.test.ts', '', "  it('x', async () => {\n"))).toEqual([]);
    expect(found(changed('a.test.ts', "it('x', () => {", "it('x', async () => {"))).toEqual([]);
  });

  test.each([
    ['a.test.ts', "it.skip('x', () => {"],
    ['a.test.ts', "test.only('x', () => {"],
    ['a.test.ts', "xit('x', () => {"],
    ['a.test.ts', "fdescribe('x', () => {"],
    ['a.test.ts', "test.concurrent.skip('x', () => {"],
    ['test_a.py', '@pytest.mark.skip(reason="x")'],
    ['test_a.py', '@pytest.mark.xfail'],
    ['test_a.py', '@unittest.skipIf(True, "x")'],
    ['test_a.py', '    pytest.skip("x")'],
    ['a_test.go', '\tt.Skip("x")'],
    ['a_test.go', '\tt.SkipNow()'],
    ['src/lib.rs', '    #[ignore]'],
    ['src/lib.rs', '#[ignore = "slow"]'],
    ['ATest.java', '  @Disabled("x")'],
    ['ATests.cs', '  [Fact(Skip = "x")]'],
    ['ATest.php', '  $this->markTestSkipped("x");'],
  ])('in %s are those that are skipped now: %s', (path, line) => {
    const skips = found(changed(path, 'a\n', `a\n${line}\n`)).filter(({ kind }) => kind === 'skipped');
    expect(skips).toEqual([{ kind: 'skipped', path, lines: [2] }]);
    expect(found(changed(path, `${line}\na\n`, `a\n${line}\n`))).toEqual([]);
  });

  test.each([
    ['src/a.ts', 'const fit = profit(x);'],
    ['src/a.ts', 'reader.skip(4);'],
    ['src/a.py', 'skip = "x"'],
    ['src/a.go', 's.Skip(2)'],
    ['src/a.ts', 'return list.only(one);'],
  ])('are not found in %s by a line like %s', (path, line) => {
    expect(found(changed(path, 'a', `a\n${line}`))).toEqual([]);
  });

  test('are files of tests with fewer assertions than before; other code may assert what it wants', () => {
    const before = 'expect(a).toBe(1);\nexpect(b).toBe(2);\nassert(c);\n';
    expect(found(changed('a.test.ts', before, 'expect(a).toBe(3);\n'))).toEqual([
      { kind: 'assertions_removed', path: 'a.test.ts', count: 2 },
    ]);
    expect(found(changed('a.test.ts', before, before.replaceAll('expect', ' expect')))).toEqual([]);
    expect(found(changed('src/a.ts', before, ''))).toEqual([]);
  });

  test('take linear time to find, whatever the lines are', () => {
    const started = performance.now();
    const hostile = [
      'it('.repeat(600),
      'test.a'.repeat(300),
      `it("${'\\'.repeat(1900)}`,
      'expect'.repeat(300),
    ];
    const lines = Array.from({ length: 400 }, () => hostile).flat();
    found(
      changed(
        'a.test.ts',
        lines.join('\n'),
        `${lines.map((line) => `${line}x`).join('\n')}\n${'it('.repeat(1e6)}`,
      ),
    );
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

describe('what the gate found', () => {
  const texts = [
    changed('package-lock.json', '', 'a\nb\n', { change: 'added' }),
    changed('dist/a.js', 'x\n', 'y\n'),
    changed('test/gone\u0000.js', "it('x')\n", '', { change: 'deleted' }),
  ];
  const report = reportOf('a'.repeat(40), { texts, isGenerated: (path) => path.startsWith('dist/') });

  test('is summed up in a form that a row can hold', () => {
    expect(report).toMatchObject({
      fileCount: 3,
      added: 3,
      removed: 2,
      generated: ['dist/a.js'],
      lockFiles: ['package-lock.json'],
      weakened: [{ kind: 'deleted', path: 'test/gone.js' }],
    });
    expect(JSON.stringify(report)).not.toContain('\\u0000');
  });

  test('is told in the pull request, and only where there is something to tell', () => {
    expect(gateSections(report).map(({ title, body }) => `${title}\n${body}`)).toEqual([
      'Tests that this change deletes or weakens\nFound by comparing lines; a test that was only rewritten may be among them.\n\n- `test/gone.js` is deleted',
      'Generated and lock files\nWritten by tools, and not counted as part of the work.\n\n- `package-lock.json`\n- `dist/a.js`',
    ]);
    expect(gateSections({ generated: [], lockFiles: [], weakened: [] })).toEqual([]);
    expect(gateSections(null)).toEqual([]);
  });

  test('names cases safely and lists at most thirty', () => {
    const weakened = [
      { kind: 'cases_removed' as const, path: 'a', count: 2, names: ['closes #12 @mona <b>'] },
      { kind: 'skipped' as const, path: 'b', lines: [3, 9] },
      { kind: 'assertions_removed' as const, path: 'c', count: 1 },
      ...Array.from({ length: 40 }, (_, n) => ({ kind: 'deleted' as const, path: `t${n}` })),
    ];
    const body = gateSections({ generated: [], lockFiles: [], weakened })[0]?.body ?? '';
    expect(body).toContain('- `a`: 2 test cases taken out (“closes #\u200b12 @\u200bmona \\<b\\>”)');
    expect(body).toContain('- `b`: tests are skipped or narrowed (line 3, 9)');
    expect(body).toContain('- `c`: 1 assertion fewer than before');
    expect(body.split('\n').at(-1)).toBe('- … and 13 more');
  });
});
