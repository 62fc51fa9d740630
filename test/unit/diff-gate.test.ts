import { describe, expect, test } from '@jest/globals';
import { type DiffRules, inspectDiff, type TreeEntry } from '../../src/services/branches/diff-gate.ts';
import { matchesPattern } from '../../src/services/branches/glob.ts';

const rules: DiffRules = {
  protectedPaths: ['infra/**', 'Dockerfile', 'config/*.secret'],
  maxFiles: 5,
  maxFileBytes: 1000,
  maxTotalBytes: 2000,
  specFolder: 'specs/0a1b2c3d-x',
};

function blob(path: string, change: Partial<TreeEntry> = {}): TreeEntry {
  return { path, mode: '100644', type: 'blob', sha: 'a'.repeat(40), size: 10, ...change };
}

const base = [blob('src/a.js'), blob('README.md'), blob('run.sh', { mode: '100755' })];

function inspect(head: TreeEntry[], symlinkTargets: Record<string, string> = {}, before = base) {
  return inspectDiff({ base: before, head, symlinkTargets, rules });
}

function refusalsOf(added: TreeEntry, target?: string): string[] {
  return inspect([...base, added], target === undefined ? {} : { [added.path]: target }).refusals.map(
    ({ reason }) => reason,
  );
}

describe('the diff gate', () => {
  test('names what was added, modified, deleted and made executable, in order of path', () => {
    const head = [
      blob('src/a.js', { sha: 'b' }),
      blob('README.md', { mode: '100755' }),
      blob('new.sh', { mode: '100755' }),
    ];
    expect(inspect(head)).toEqual({
      changed: [
        { path: 'README.md', change: 'mode' },
        { path: 'new.sh', change: 'added' },
        { path: 'run.sh', change: 'deleted' },
        { path: 'src/a.js', change: 'modified' },
      ],
      refusals: [],
      nothingNew: false,
    });
  });

  test('calls it nothing new when only the spec’s own files differ', () => {
    expect(inspect(base)).toEqual({ changed: [], refusals: [], nothingNew: true });
    expect(inspect([...base, blob('specs/0a1b2c3d-x/tasks.md')]).nothingNew).toBe(true);
    expect(inspect([...base, blob('specs/0a1b2c3d-xy/tasks.md')]).nothingNew).toBe(false);
  });

  test('leaves alone what was odd before', () => {
    const odd = [
      ...base,
      blob('.github/workflows/ci.yml'),
      blob('vendor/lib', { mode: '160000', type: 'commit' }),
      blob('etc', { mode: '120000' }),
      blob('A.txt'),
      blob('a.txt'),
    ];
    expect(inspect([...odd, blob('x')], {}, odd).refusals).toEqual([]);
  });

  test.each([
    '.github/workflows/ci.yml',
    '.github/Workflows/new.yaml',
    '.github/actions/setup/action.yml',
    '.github/workflows',
    'CODEOWNERS',
    'docs/codeowners',
    '.github/CODEOWNERS',
    '.github/specwright.yml',
    'infra/main.tf',
    'Infra/deep/er.tf',
    'Dockerfile',
    'services/api/Dockerfile',
    'config/db.secret',
    '.gitmodules',
  ])('refuses to add, change or delete %s', (path) => {
    const before = [...base, blob(path)];
    expect(refusalsOf(blob(path))).toHaveLength(1);
    expect(inspect([...base, blob(path, { sha: 'b' })], {}, before).refusals).toHaveLength(1);
    expect(inspect(base, {}, before).refusals).toHaveLength(1);
  });

  test.each([
    'src/CODEOWNERS.md',
    'github/workflows/x',
    '.github/ISSUE_TEMPLATE/x.md',
    'infra',
    'infrastructure/x',
    'config/a/b.secret',
    '.gitignore',
    'a~1/git',
    'docs/é.md',
  ])('lets %s through', (path) => {
    expect(refusalsOf(blob(path))).toEqual([]);
  });

  test.each([
    '.git/config',
    'a/.GIT/x',
    'a/.Git',
    'git~1/x',
    'GIT~2/x',
    '.git./x',
    '.git /x',
    '.git::$INDEX_ALLOCATION/x',
    '.g\u200cit/x',
    '.git\ufeff/x',
    'a\u0007b',
    'a\nb',
    'a\u202eb',
    'a\\b',
    '../x',
    'a/../b',
    './a',
    'a//b',
    '/a',
    'c:/x',
    'x'.repeat(2000),
  ])('refuses the path %j', (path) => {
    expect(refusalsOf(blob(path))).toEqual([expect.stringMatching(/^".*" .*\.$/s)]);
  });

  test('refuses submodules, new, changed and removed', () => {
    const module = blob('lib', { mode: '160000', type: 'commit', size: undefined });
    expect(refusalsOf(module)).toEqual([
      '"lib" is a submodule, which would bring in code that nobody reviews here.',
    ]);
    expect(inspect([...base, blob('lib')], {}, [...base, module]).refusals).toHaveLength(1);
    expect(inspect(base, {}, [...base, module]).refusals).toHaveLength(1);
    expect(inspect([...base, module], {}, [...base, blob('lib')]).refusals).toHaveLength(1);
  });

  test.each(['100664', '100600', '000000', '140000'])('refuses the file mode %s', (mode) => {
    expect(refusalsOf(blob('x', { mode }))).toEqual([`"x" has the odd file mode ${mode}.`]);
  });

  test('refuses a file that turns into a link', () => {
    const head = [blob('src/a.js', { mode: '120000', sha: 'b' }), ...base.slice(1)];
    expect(inspect(head, { 'src/a.js': 'b.js' }).refusals).toEqual([
      { path: 'src/a.js', reason: '"src/a.js" was a file and would become a symbolic link.' },
    ]);
  });

  test.each([
    ['a/link', '../src/a.js', null],
    ['a/link', 'b', null],
    ['link', '.', null],
    ['link', '..', 'leads out'],
    ['a/b/link', '../../..', 'leads out'],
    ['link', '/etc/passwd', 'absolute'],
    ['link', 'C:\\x', 'absolute'],
    ['link', '\\\\host\\x', 'absolute'],
    ['link', '.git/config', 'git’s own'],
    ['link', 'sub/.GIT/x', 'git’s own'],
    ['link', 'sub/../x', 'down and up'],
    ['link', '', 'broken'],
    ['link', 'a\0b', 'broken'],
    ['link', undefined, 'could not be read'],
    ['.github', 'x', 'looks for its settings'],
  ])('judges a link at %j to %j', (path, target, problem) => {
    const found = refusalsOf(blob(path, { mode: '120000' }), target);
    expect(found).toEqual(problem === null ? [] : [expect.stringContaining(problem)]);
  });

  test('refuses a link that leads out by way of another link', () => {
    const old = [...base, blob('old', { mode: '120000' })];
    const head = [...old, blob('new', { mode: '120000', sha: 'n' })];
    const [refusal] = inspect(head, { old: '/etc', new: 'old/passwd' }, old).refusals;
    expect(refusal).toEqual({ path: 'new', reason: '"new" is a symbolic link to an absolute path.' });
    expect(inspect(head, { old: 'new', new: 'old' }, old).refusals).toEqual([]);
  });

  test('refuses names that are one name on many disks, folders too', () => {
    expect(refusalsOf(blob('readme.MD'))).toEqual([
      '"readme.MD" differs from "README.md" in case or accents only, which is the same name on many disks.',
    ]);
    expect(refusalsOf(blob('SRC/b.js'))).toEqual([expect.stringContaining('differs from "src"')]);
    expect(inspect([...base, blob('caf\u00e9'), blob('cafe\u0301')]).refusals).toHaveLength(2);
    expect(inspect([...base.filter(({ path }) => path !== 'README.md'), blob('readme.md')]).refusals).toEqual(
      [],
    );
  });

  test('refuses what is too large or of unknown size', () => {
    expect(refusalsOf(blob('big', { size: 1500 }))).toEqual([
      '"big" has 1.5 KiB, more than the 1000 bytes that one file may have.',
    ]);
    expect(refusalsOf(blob('odd', { size: undefined }))).toEqual(['"odd" has an unknown size.']);
    const three = ['x', 'y', 'z'].map((path) => blob(path, { size: 900 }));
    expect(inspect([...base, ...three]).refusals).toEqual([
      {
        path: '.',
        reason:
          'The changed files have 2.6 KiB together, more than the 2 KiB that one pull request may bring.',
      },
    ]);
    const six = Array.from({ length: 6 }, (_, n) => blob(`n${n}`));
    expect(inspect([...base, ...six]).refusals).toEqual([
      { path: '.', reason: 'The change touches 6 files, more than the 5 that one pull request may touch.' },
    ]);
  });

  test('lets workflows pass where the installation grants it and the settings want it', () => {
    const head = [...base, blob('.github/workflows/ci.yml')];
    const judged = (workflows: DiffRules['workflows']) =>
      inspectDiff({ base, head, symlinkTargets: {}, rules: { ...rules, workflows } }).refusals.map(
        ({ reason }) => reason,
      );
    expect(judged('allowed')).toEqual([]);
    expect(judged('not_set')).toEqual([expect.stringContaining('a maintainer sets `workflows: true`')]);
    expect(judged('not_granted')).toEqual([
      expect.stringContaining('does not grant the App “Workflows: write”'),
    ]);
    const action = [...base, blob('.github/actions/x/action.yml')];
    const allowed = { ...rules, workflows: 'allowed' as const };
    expect(inspectDiff({ base, head: action, symlinkTargets: {}, rules: allowed }).refusals).toHaveLength(1);
    const own = { ...allowed, protectedPaths: ['.github/workflows/release.yml'] };
    const release = [...base, blob('.github/workflows/release.yml')];
    expect(inspectDiff({ base, head: release, symlinkTargets: {}, rules: own }).refusals).toHaveLength(1);
  });

  test('does not count generated files for the limits, and judges them otherwise', () => {
    const files = Array.from({ length: 9 }, (_, n) => blob(`dist/f${n}.js`, { size: 5000 }));
    const generated = { ...rules, generatedPaths: ['dist/**'] };
    expect(inspect([...base, ...files]).refusals.length).toBeGreaterThan(5);
    expect(
      inspectDiff({ base, head: [...base, ...files], symlinkTargets: {}, rules: generated }).refusals,
    ).toEqual([]);
    const odd = [...base, blob('dist/x', { mode: '100600' })];
    expect(inspectDiff({ base, head: odd, symlinkTargets: {}, rules: generated }).refusals).toHaveLength(1);
  });

  test('refuses a lock file without its manifest', () => {
    const withLocks = { ...rules, lockFiles: 'with-manifest' as const };
    const judged = (...added: TreeEntry[]) =>
      inspectDiff({ base, head: [...base, ...added], symlinkTargets: {}, rules: withLocks }).refusals;
    expect(judged(blob('package-lock.json'))).toEqual([
      {
        path: 'package-lock.json',
        reason:
          '"package-lock.json" is a lock file that changed though package.json beside it did not, so nothing shows why (`lockFiles: allow` would let it pass).',
      },
    ]);
    expect(judged(blob('package-lock.json'), blob('package.json'))).toEqual([]);
  });

  test('judges a large tree in well under a second', () => {
    const large = Array.from({ length: 20_000 }, (_, n) => blob(`packages/p${n % 200}/src/deep/f${n}.js`));
    const started = performance.now();
    expect(
      inspectDiff({ base: large, head: [...large, blob('x')], symlinkTargets: {}, rules }).refusals,
    ).toEqual([]);
    expect(performance.now() - started).toBeLessThan(3000);
  });
});

describe('a protected-path pattern', () => {
  test.each([
    ['a/b.js', 'a/*.js', true],
    ['a/c/b.js', 'a/*.js', false],
    ['a/c/b.js', 'a/**/*.js', true],
    ['a/b.js', 'a/**/b.js', true],
    ['x/y/z', '**', true],
    ['x', '**', true],
    ['a', 'a/**', false],
    ['a/b', 'a', true],
    ['x/a/b', 'a', true],
    ['x/a/b', '/a', false],
    ['x/a/b', 'a/', true],
    ['ab', 'a?', true],
    ['a/b', 'a?b', false],
    ['a', 'a?', false],
    ['.env', '.env*', true],
    ['x/.env.local', '.env*', true],
    ['a.b', 'a[.]b', false],
    ['aXb', 'a.b', false],
    ['🙂x', '?x', true],
    ['a', '', false],
    ['a/x/b/y/c', '**/b/**', true],
    ['a/b', '**/**/b', true],
  ])('%j against %j is %j', (path, pattern, expected) => {
    expect(matchesPattern(path, pattern)).toBe(expected);
  });

  test('made of many stars takes no exponential time', () => {
    const started = performance.now();
    expect(matchesPattern('a'.repeat(2000), `${'*a'.repeat(60)}b`)).toBe(false);
    expect(matchesPattern('a/'.repeat(300), `${'**/a/'.repeat(60)}b`)).toBe(false);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
