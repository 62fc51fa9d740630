import { describe, expect, test } from '@jest/globals';
import { markdown } from '../../src/emulator/pages/markdown.ts';

const render = (text: string) => markdown(text).safe;

describe('the Markdown of emulated pages', () => {
  test('renders headings, emphasis, code, links and rules', () => {
    expect(render('## Title\n\n**bold**, _soft_ and `a < b`\n\n---')).toBe(
      '<h2>Title</h2>\n<p><strong>bold</strong>, <em>soft</em> and <code>a &lt; b</code></p>\n<hr>',
    );
    expect(render('[docs](https://example.com/a?b=1&c=2)')).toBe(
      '<p><a href="https://example.com/a?b=1&amp;c=2">docs</a></p>',
    );
  });

  test('renders nested and task lists, tables and quotes', () => {
    expect(render('- [x] one\n  - inner\n- [ ] two')).toContain(
      '<ul><li><input type="checkbox" disabled checked> one<ul><li>inner</li></ul></li>',
    );
    expect(render('| a | b |\n|---|---|\n| 1 | 2 |')).toBe(
      '<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>',
    );
    expect(render('> said')).toBe('<blockquote><p>said</p></blockquote>');
  });

  test('keeps the content of a fence as it is', () => {
    expect(render('```js\nif (a < b) { **no** }\n```')).toBe(
      '<pre><code>if (a &lt; b) { **no** }</code></pre>',
    );
  });

  test('lets a few tags through and shows everything else as text', () => {
    expect(render('<details><summary>More</summary>')).toBe('<details><summary>More</summary>');
    expect(render('<img src=x onerror=alert(1)>')).toBe('<p>&lt;img src=x onerror=alert(1)&gt;</p>');
    expect(render('<details onclick="x">')).toContain('&lt;details onclick');
    expect(render('[x](javascript:alert(1))')).not.toContain('<a');
  });

  test('leaves comments out', () => {
    expect(render('shown <!-- marker:1 -->')).not.toContain('marker');
  });
});
