import { describe, expect, test } from '@jest/globals';
import { alteredLicenceHeaders } from '../../src/services/branches/checks/licence-headers.ts';
import {
  type ChangedText,
  compareLines,
  readPatch,
  textOf,
} from '../../src/services/branches/checks/lines.ts';
import { isLockFile, lockFileProblem } from '../../src/services/branches/checks/lock-files.ts';
import { judgeTexts } from '../../src/services/branches/judge-texts.ts';

function changed(path: string, before: string, after: string): ChangedText {
  return { path, change: 'modified', movedFrom: null, ...compareLines(before, after) };
}

describe('the lines of a patch', () => {
  test('are read with their numbers on both sides', () => {
    const patch =
      '@@ -1,3 +1,4 @@ title\n a\n-b\n+B\n+@@ -9 +9 @@\n c\n@@ -20 +21 @@\n-x\n\\ No newline at end of file\n+y';
    expect(readPatch(patch)).toEqual({
      added: [
        { number: 2, text: 'B' },
        { number: 3, text: '@@ -9 +9 @@' },
        { number: 21, text: 'y' },
      ],
      removed: [
        { number: 2, text: 'b' },
        { number: 20, text: 'x' },
      ],
    });
  });
});

describe('the lines of two texts', () => {
  test('differ by what one has more often', () => {
    expect(compareLines('a\nb\na\n', 'b\na\nc')).toEqual({
      added: [{ number: 3, text: 'c' }],
      removed: [{ number: 3, text: 'a' }],
    });
    expect(compareLines('', 'x\n')).toEqual({ added: [{ number: 1, text: 'x' }], removed: [] });
  });

  test('are told from 4 MiB in a moment', () => {
    const text = Array.from({ length: 60_000 }, (_, n) => `line ${n % 1000} ${'x'.repeat(60)}`).join('\n');
    const started = performance.now();
    expect(compareLines(text, `${text}\nnew`).added).toHaveLength(1);
    expect(performance.now() - started).toBeLessThan(5000);
  });

  test.each([
    ['UTF-8', Buffer.from('hällo')],
    ['UTF-16, little end first', Buffer.from('\ufeffhällo', 'utf16le')],
    ['UTF-16, big end first', Buffer.from('\ufeffhällo', 'utf16le').swap16()],
  ])('are read from %s', (_name, bytes) => {
    expect(textOf(bytes)).toBe('hällo');
  });

  test('are read from binary files byte by byte', () => {
    expect(textOf(Buffer.from([0, 0x41, 0xff]))).toBe('\u0000A\u00ff');
  });
});

describe('a lock file', () => {
  const rule = 'with-manifest' as const;

  test.each([
    ['package-lock.json', ['package.json'], true],
    ['package-lock.json', ['packages/a/package.json'], true],
    ['packages/a/package-lock.json', ['package.json'], false],
    ['yarn.lock', ['src/a.js'], false],
    ['Cargo.lock', ['crates/x/Cargo.toml'], true],
    ['go.sum', ['go.mod'], true],
    ['Gemfile.lock', ['thing.gemspec'], true],
    ['poetry.lock', ['pyproject.toml'], true],
    ['web/pnpm-lock.yaml', ['webpack/package.json'], false],
  ])('%s beside %j passes: %j', (path, others, passes) => {
    const problem = lockFileProblem(path, { changed: [path, ...others], rule });
    expect(problem).toEqual(passes ? null : expect.stringContaining('nothing shows why'));
  });

  test('passes always or never where the settings say so', () => {
    expect(lockFileProblem('yarn.lock', { changed: [], rule: 'allow' })).toBeNull();
    expect(lockFileProblem('yarn.lock', { changed: ['package.json'], rule: 'refuse' })).toContain(
      '`lockFiles: refuse`',
    );
    expect(lockFileProblem('src/lock.ts', { changed: [], rule: 'refuse' })).toBeNull();
    expect([isLockFile('a/composer.lock'), isLockFile('lock.json')]).toEqual([true, false]);
  });
});

describe('a licence header', () => {
  const code = '\nexport const a = 1;\n';

  test.each([
    ['// SPDX-License-Identifier: MIT'],
    ['/*\n * Copyright 2019 The Authors\n */'],
    ['/*\nCopyright (c) 2019 X\n*/'],
    ['# Copyright: (c) 2019, X'],
    ['<!-- © 2019 X -->'],
    ['#!/bin/sh\n# Licensed under the Apache License, Version 2.0'],
    ['-- All rights reserved.'],
    ['"""Copyright 2020 X"""'],
  ])('that goes away is refused: %j', (header) => {
    expect(alteredLicenceHeaders([changed('a', header + code, code)])).toEqual([
      { path: 'a', line: expect.any(Number) },
    ]);
  });

  test('that is altered is refused, with its line', () => {
    const before = `#!/bin/sh\n# Copyright 2019 X${code}`;
    expect(alteredLicenceHeaders([changed('a', before, before.replace('2019', '2026'))])).toEqual([
      { path: 'a', line: 2 },
    ]);
  });

  test.each([
    ['stays', '// Copyright X\na\n', '// Copyright X\nb\n'],
    ['moves behind a new first line', '// Copyright X\na\n', '"use strict";\n// Copyright X\na\n'],
    ['is indented otherwise', '* Copyright X\na\n', ' * Copyright X\na\n'],
    ['is new', 'a\n', '// Copyright X\na\n'],
    ['is no header but a value', 'copyright = "2024"\n', 'copyright = "2025"\n'],
    ['is no header but page content', '<p>Copyright 2024</p>\n', '<p>Copyright 2025</p>\n'],
    ['stands far below', `${'x\n'.repeat(60)}// Copyright X\n`, 'x\n'.repeat(60)],
  ])('that %s is left alone', (_what, before, after) => {
    expect(alteredLicenceHeaders([changed('a', before, after)])).toEqual([]);
  });

  test('goes with a file that is deleted', () => {
    const text = { ...changed('a', '// Copyright X\n', ''), change: 'deleted' as const };
    expect(alteredLicenceHeaders([text])).toEqual([]);
  });
});

describe('the judgement of lines', () => {
  const token = `ghp_${'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8'}`;
  const allow = { ignorePaths: [], ignoreRules: [] };

  test('says file, line and rule of secrets in files and commit messages, and of lost headers', async () => {
    const texts = [
      changed('src/a.js', 'x\n', `x\nt = "${token}"\n`),
      changed('b.js', '// Copyright X\n', '\n'),
    ];
    const messages = [{ sha: 'c'.repeat(40), message: `feat: x\n\nuses ${token}` }];
    const reasons = (await judgeTexts({ texts, messages, history: [], allow })).map(({ reason }) => reason);
    expect(reasons).toEqual([
      '"src/a.js", line 2, looks like a secret (rule github/GITHUB_TOKEN; `secretScan` in the settings can let it pass).',
      '"commit ccccccc", line 3, looks like a secret (rule github/GITHUB_TOKEN; `secretScan` in the settings can let it pass).',
      '"b.js" had a licence header (line 1), and the change takes it away or alters it.',
    ]);
    expect(reasons.join()).not.toContain(token);
  });

  test('finds a secret that one commit adds and another takes away, and tells one that stays only once', async () => {
    const lines = [{ number: 7, text: token }];
    const history = [{ path: 'src/b.js', isNew: true, commit: 'd'.repeat(40), lines }];
    const judged = async (texts: ChangedText[]) =>
      (await judgeTexts({ texts, messages: [], history, allow })).map(({ reason }) => reason);
    expect(await judged([])).toEqual([
      expect.stringMatching(/^"src\/b.js", line 7, as commit ddddddd adds it, looks/),
    ]);
    expect(await judged([changed('src/b.js', '', token)])).toEqual([expect.stringMatching(/line 1, looks/)]);
    expect(
      await judgeTexts({ texts: [], messages: [], history, allow: { ...allow, ignorePaths: ['src'] } }),
    ).toEqual([]);
  });

  test('does not mind a secret that the base has on the same line or in a file that only moved', async () => {
    const old = `t = "${token}"\n`;
    const moved = { ...changed('new.js', '', ''), change: 'added' as const, movedFrom: 'old.js' };
    expect(
      await judgeTexts({ texts: [changed('a', old, `y\n${old}`), moved], messages: [], history: [], allow }),
    ).toEqual([]);
  });
});
