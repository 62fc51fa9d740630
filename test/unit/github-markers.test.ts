import { describe, expect, test } from '@jest/globals';
import { hasMarker, marker } from '../../src/github/markers.ts';

describe('a marker', () => {
  test('is found in the body that carries it, and only for its own key', () => {
    const body = `Hello\n\n${marker('spec/1a2b/notice')}`;

    expect(hasMarker(body, 'spec/1a2b/notice')).toBe(true);
    expect(hasMarker(body, 'spec/1a2b/notic')).toBe(false);
    expect(hasMarker(body, 'spec/1a2b/notice2')).toBe(false);
    expect(hasMarker('Hello', 'spec/1a2b/notice')).toBe(false);
  });

  test.each(['-->', '--!>', 'a--b', '>', '<!-- -->', 'a\nb', 'ä 👀', "x'(*)!", '%2D', ' '])(
    'of the key %j can’t end its comment early',
    (key) => {
      const text = marker(key);

      expect(text).toMatch(/^<!-- specwright:effect=[\w.~%]* -->$/);
      expect(hasMarker(text, key)).toBe(true);
    },
  );

  test('differs where keys differ only in what is escaped', () => {
    const keys = ['a-b', 'a%2Db', 'a b', 'a/b', 'a%2Fb'];

    expect(new Set(keys.map(marker)).size).toBe(keys.length);
  });
});
