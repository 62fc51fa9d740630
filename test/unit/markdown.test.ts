import { describe, expect, test } from '@jest/globals';
import {
  cell,
  cleanText,
  code,
  cutText,
  defuse,
  details,
  fence,
  inline,
  link,
  oneLine,
  prose,
  tailText,
  visibleText,
} from '../../src/services/markdown/markdown.ts';

const GAP = '\u200b';

/** What in a rendered text GitHub would turn into a ping or a reference on another page. */
const LIVE = /@[\w-]|#\d|\bgh-\d|\/(?:issues|pull|discussions|commit)\/\w/iu;

const attacks = [
  '@mona',
  'x@mona',
  '@acme/team',
  '#12',
  'acme/api#12',
  'GH-12',
  'gh\\-12',
  '\\@mona',
  '\\#12',
  'https://github.com/a/b/issues/9',
  'https://github.com/a/b/pull/9#issue',
  '`@mona`',
  '``#1``',
  'a@b@c#1#2',
];

describe('clean text', () => {
  test('has no terminal codes, controls, bidi or tag characters, but keeps joiners', () => {
    expect(
      cleanText('\u001b[1mA\u001b[0m\u0000\u0007\u202e\u2066\ufeff\u{e0061}\u00ad👩\u200d💻\r\nb\u2028c\td'),
    ).toBe('A👩\u200d💻\nb\nc\td');
  });

  test('is cut without half characters', () => {
    expect(cutText('ab🙂cd', 4)).toBe('ab…');
    expect(cutText('abc', 3)).toBe('abc');
    expect(tailText('one\ntwo\nthree\nfour', 12)).toBe('…three\nfour');
    expect(tailText('🙂🙂🙂', 4).isWellFormed()).toBe(true);
    expect(oneLine(' a\n\n b\t c ')).toBe('a b c');
  });
});

describe('one line of untrusted text', () => {
  test('keeps whole code spans and escapes the rest', () => {
    expect(inline('call `greet(name)` *now* [x](y) <b> a_b')).toBe(
      'call `greet(name)` \\*now\\* \\[x\\](y) \\<b\\> a\\_b',
    );
    expect(inline('one ` alone')).toBe('one \\` alone');
  });

  test.each([
    ['- item', '\\- item'],
    ['# head', '\\# head'],
    ['> quote', '\\> quote'],
    ['1. one', '1\\. one'],
    ['12) x', '12\\) x'],
    ['=====', '\\====='],
    ['---', '\\---'],
    ['-1 is less', '-1 is less'],
    ['1.5 times', '1.5 times'],
    ['~~~', '\\~\\~\\~'],
  ])('%j does not start a block', (text, markdown) => {
    expect(inline(text)).toBe(markdown);
  });

  test('cannot leave a table cell', () => {
    expect(cell('a | b `c | d`\n| e')).toBe('a \\| b `c \\| d` \\| e');
  });

  test.each(attacks)('%j pings nobody and refers to nothing', (text) => {
    for (const markdown of [inline(text), cell(text), code(text), prose(text), defuse(text)])
      expect(markdown.replace(/\\([!-/:-@[-`{-~])/gu, '$1')).not.toMatch(LIVE);
  });

  test('hides nothing in comments or entities', () => {
    expect(inline('a <!-- b --> &#64;mona')).toBe(`a \\<${GAP}!-- b --\\> \\&#${GAP}64;mona`);
  });

  test('turns addresses into text', () => {
    expect(inline('see https://evil.example and www.evil.example')).toBe(
      `see https:${GAP}//evil.example and www${GAP}.evil.example`,
    );
  });
});

describe('code', () => {
  test.each([
    ['a', '`a`'],
    ['a`b', '``a`b``'],
    ['`a`', '`` `a` ``'],
    ['', '` `'],
    ['a\nb', '`a b`'],
  ])('span of %j', (text, markdown) => {
    expect(code(text)).toBe(markdown);
  });

  test('block cannot be left from inside', () => {
    expect(fence('a\n```\n</details>\n````\nb\n', 'text')).toBe(
      '`````text\na\n```\n</details>\n````\nb\n`````',
    );
  });
});

describe('a link', () => {
  test('keeps its address whole and its text harmless', () => {
    expect(link('a ](x) b', 'https://x.test/a b/(c)%23?q="1"')).toBe(
      '[a \\](x) b](https://x.test/a%20b/%28c%29%23?q=%221%22)',
    );
  });
});

describe('several lines of untrusted Markdown', () => {
  test('keep lists, emphasis and whole code blocks', () => {
    const text = '- one\n- **two**\n\n```js\n# not a heading\nconst a = 1;\n```\nafter';
    expect(prose(text)).toBe(text);
  });

  test('lose headings, HTML, images, link definitions and entities', () => {
    expect(
      prose('# Big\ntext\n===\n</details><!-- x --><img src=y>\n![i](u)\n[x]: http://evil\n&commat;mona'),
    ).toBe(
      `**Big**\ntext\n\\===\n<${GAP}/details><${GAP}!-- x --><${GAP}img src=y>\n!${GAP}[i](u)\n[x]${GAP}: http://evil\n&${GAP}commat;mona`,
    );
  });

  test.each([
    '```\nnever closed',
    '~~~\nnever closed\n```',
    '- item\n  ```\nlazy\n```',
    '> ```\n> x\n```',
    '``` a`b\n```',
    'text ```\n```',
    '```\n````x',
  ])('cannot leave a code block open: %j', (text) => {
    expect(prose(text)).not.toMatch(/^.*(`{3,}|~{3,})/m);
  });

  test('are cut at the limit', () => {
    expect(prose('x'.repeat(10_000), 100)).toHaveLength(100);
  });
});

test('a collapsed section has its blank lines, without which GitHub shows raw Markdown', () => {
  expect(details('Title', ' body ')).toBe('<details>\n<summary>Title</summary>\n\nbody\n\n</details>');
});

describe('the visible text', () => {
  test.each([
    ['a <!-- b --> c', 'a  c'],
    ['a\n<!-- b\nc -->\nd', 'a\nd'],
    ['a <!-- never ends\nb', 'a'],
    ['```\n<!-- kept -->\n```', '```\n<!-- kept -->\n```'],
    ['<!--\n```\n-->\nshown <!-- hidden -->', 'shown'],
    ['<!-- a --><!-- b -->c<!-- d -->', 'c'],
  ])('of %j is %j', (text, visible) => {
    expect(visibleText(text)).toBe(visible);
  });
});
