import { describe, expect, test } from '@jest/globals';
import { mergeSettings, parseSettings } from '../../src/services/settings/load.ts';
import { defaultSettings, settingsSchema } from '../../src/services/settings/schema.ts';

function problemsOf(text: string): string[] {
  const read = parseSettings(text);
  if (read.ok) throw new Error('the file was accepted');
  return read.problems.map(({ path, message }) => `${path}: ${message}`);
}

describe('a settings file', () => {
  test('may set any part', () => {
    expect(parseSettings('label: build\nlimits:\n  tasks: 5\nbase: null\n')).toEqual({
      ok: true,
      settings: { label: 'build', limits: { tasks: 5 }, base: null },
    });
  });

  test.each(['', '\n', '# nothing yet\n', '---\n'])('may be empty: %j', (text) => {
    expect(parseSettings(text)).toEqual({ ok: true, settings: {} });
  });

  test('has all its problems named with their keys', () => {
    expect(
      problemsOf('labl: x\nspecFiles: "yes"\nlimits: {tasks: 0, cpu: 1, memoryMb: many}\nverify: [a]\n'),
    ).toEqual([
      'verify: has to be text, not a list',
      'specFiles: has to be true or false, not text',
      'limits.tasks: has to be at least 1',
      'limits.memoryMb: has to be a number, not text',
      'limits.cpu: is no known setting',
      'labl: is no known setting',
    ]);
  });

  test.each([
    ['label: [', ': is no YAML: line 1'],
    ['label: a\nlabel: b', ': is no YAML: line 2'],
    ['just text', ': has to be a group of settings, not text'],
    ['- a', ': has to be a group of settings, not a list'],
    ['label: ""', 'label: has to be at least 1 characters long'],
    ['label: a,b', 'label: has to be the name of one label'],
    ['label: spec:failed', 'label: is a label that has a meaning of its own for specs; choose another one'],
    ['base: "a..b"', 'base: is no branch name that git accepts'],
    ['base: "-x"', 'base: is no branch name that git accepts'],
    ['protectedPaths: ["../x"]', 'protectedPaths.0: has to be a path inside the repository'],
    ['protectedPaths: infra', 'protectedPaths: has to be a list, not text'],
    ['allowBots: [octocat]', 'allowBots.0: has to be the login of a bot'],
    ['approval: plan', 'approval: has to be "none"'],
    ['limits: {attempts: 6}', 'limits.attempts: may be at most 5'],
    ['limits: {tasks: 1.5}', 'limits.tasks: has to be a whole number, not 1.5'],
    ['limits:', 'limits: has to be a group of settings, not empty'],
    ['a: &a [1]\nb: *a', ': uses YAML aliases, which are not supported here'],
    ['__proto__: {label: x}', '__proto__: is no known setting'],
    [`label: ${'x'.repeat(70_000)}`, ': is larger than 64 KiB'],
  ])('is refused: %j', (text, problem) => {
    expect(problemsOf(text)[0]).toContain(problem);
  });

  test('never makes the reader throw', () => {
    for (const text of [
      '\0',
      '!!binary x',
      '!!js/function x',
      '? {a: b} : c',
      '*x',
      '%YAML 9',
      '{',
      '\t- a',
      '!!set {a}',
    ]) {
      expect(() => parseSettings(text)).not.toThrow();
    }
  });
});

describe('levels of settings', () => {
  test('defaults are valid by their own schema', () => {
    expect(settingsSchema.parse(defaultSettings)).toEqual(defaultSettings);
  });

  test('a nearer level overrides key by key, limits included', () => {
    const { settings, problems } = mergeSettings(
      { label: 'installation', verify: 'make', limits: { tasks: 1, files: 1 } },
      parseSettings('label: organisation\nlimits: {tasks: 2}'),
      parseSettings('label: repository\nverify: null'),
    );
    expect(problems).toEqual([]);
    expect(settings).toEqual({
      ...defaultSettings,
      label: 'repository',
      verify: null,
      limits: { ...defaultSettings.limits, tasks: 2, files: 1 },
    });
  });

  test('protected paths add up', () => {
    const { settings } = mergeSettings(
      { protectedPaths: ['a/**'] },
      parseSettings('protectedPaths: [b]'),
      parseSettings('protectedPaths: [b, c]'),
    );
    expect(settings.protectedPaths).toEqual(['a/**', 'b', 'c']);
  });

  test('an invalid file sets nothing, not even its valid keys, and its problems say where they are', () => {
    const { settings, problems } = mergeSettings(
      {},
      parseSettings('label: org'),
      parseSettings('label: repo\nx: 1'),
    );
    expect(settings.label).toBe('org');
    expect(problems).toEqual([{ path: 'x', message: 'is no known setting', source: 'repository' }]);
  });

  test('missing files leave the defaults', () => {
    expect(mergeSettings({}, null, null)).toEqual({ settings: defaultSettings, problems: [] });
  });
});
