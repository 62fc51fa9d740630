import { execFileSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import {
  branchName,
  checkpointRef,
  fallbackBranchName,
  shortId,
  slugOf,
  specFolder,
} from '../../src/services/branches/name.ts';
import { randomFrom } from '../harness/random.ts';

const id = '0A1b2c3d-0000-4000-8000-000000000000';

const hostile = [
  '',
  ' ',
  '🎉🎉',
  '..',
  'a..b',
  '@{',
  '@',
  'x.lock',
  '.lock',
  'a/b',
  '//',
  '-',
  '--',
  '/x',
  'x/',
  'x.',
  '~^:?*[\\',
  'a\nb',
  'a\u0000b',
  '\u202Eevil',
  'a\u200bb',
  'İstanbul ß Œuvre Łódź Ærø',
  'ＦＵＬＬ',
  '日本語',
  'HEAD',
  'refs/heads/main',
  'a b\tc',
  '$(rm -rf /)',
  '`id`',
  '; drop table',
  '--upload-pack=x',
  'é'.repeat(200),
  'a'.repeat(10_240),
  'word '.repeat(2048),
  `${'x'.repeat(39)} y`,
  `${'-'.repeat(500)}z`,
  '\ud800',
  '%2e%2e',
  'con',
  'a\u0301'.repeat(300),
];

/** Titles out of the characters that git dislikes. */
function randomTitles(seed: number, count: number): string[] {
  const signs = [
    '.',
    '/',
    '@',
    '{',
    '~',
    '^',
    ':',
    '?',
    '*',
    '[',
    '\\',
    ' ',
    '-',
    'a',
    'Z',
    '9',
    'é',
    '🙂',
    '\n',
    '\u007f',
    '\u202e',
    '.lock',
  ];
  const { int, pick } = randomFrom(seed);
  return Array.from({ length: count }, () => Array.from({ length: int(60) }, () => pick(signs)).join(''));
}

describe('a branch name', () => {
  test('is the first 8 digits of the id and a slug of the title', () => {
    expect(branchName(id, 'Greet people by time of day!')).toBe('spec/0a1b2c3d-greet-people-by-time-of-day');
    expect(fallbackBranchName(id, 'Greet')).toBe('spec-0a1b2c3d-greet');
    expect(specFolder(id, 'Greet')).toBe('specs/0a1b2c3d-greet');
    expect(checkpointRef(id)).toBe('refs/specwright/0a1b2c3d');
  });

  test('is the id alone when the title has nothing to offer', () => {
    expect(branchName(id, '🎉 日本語 …')).toBe('spec/0a1b2c3d');
    expect(branchName(id, '', { avoid: 2 })).toBe('spec/0a1b2c3d-2');
  });

  test('gets a suffix from the second try on', () => {
    expect([0, 1, 2, 3].map((avoid) => branchName(id, 'x', { avoid }))).toEqual([
      'spec/0a1b2c3d-x',
      'spec/0a1b2c3d-x',
      'spec/0a1b2c3d-x-2',
      'spec/0a1b2c3d-x-3',
    ]);
  });

  test('folds letters to ASCII and cuts between words', () => {
    expect(slugOf('İstanbul ß Œuvre Łódź')).toBe('istanbul-ss-oeuvre-lodz');
    expect(slugOf('one two three four five six seven eight nine')).toBe(
      'one-two-three-four-five-six-seven-eight',
    );
    expect(slugOf('a'.repeat(100))).toHaveLength(40);
  });

  test('needs a uuid', () => {
    expect(() => shortId('../../etc')).toThrow('uuid');
    expect(() => shortId('0a1b2c3d')).toThrow('uuid');
  });

  test('is taken by git whatever the title is', () => {
    const seed = 20_250_301;
    const names = [...hostile, ...randomTitles(seed, 400)].flatMap((title) => [
      branchName(id, title),
      branchName(id, title, { avoid: 7 }),
      fallbackBranchName(id, title),
    ]);
    const distinct = [...new Set(names)];
    expect({
      seed,
      odd: distinct.filter((name) => !/^spec[/-]0a1b2c3d(-[a-z0-9]+)*$/.test(name) || name.length > 70),
    }).toEqual({ seed, odd: [] });
    // `git check-ref-format` takes one name a run; one shell loop with the names on its input spares hundreds of starts.
    const script =
      'while IFS= read -r name; do git check-ref-format --branch "$name" >/dev/null 2>&1 || echo "$name"; done';
    const sample = distinct.slice(0, 150);
    expect(
      execFileSync('sh', ['-c', script], { input: `${sample.join('\n')}\nbad..name\n`, encoding: 'utf8' }),
    ).toBe('bad..name\n');
  });

  test('leaves a checkpoint ref that git takes', () => {
    expect(() => execFileSync('git', ['check-ref-format', checkpointRef(id)])).not.toThrow();
  });
});
