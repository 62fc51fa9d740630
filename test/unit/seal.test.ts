import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { createKeyring, createSealer } from '../../src/seal.ts';

const sealer = createSealer('the secret', 'tests');

test('what was sealed opens again, and is not there to be read', () => {
  const sealed = sealer.seal('ghs_1234 äöü');
  expect(sealer.open(sealed)).toBe('ghs_1234 äöü');
  expect(sealed.includes('ghs_1234')).toBe(false);
  expect(sealer.seal('ghs_1234 äöü').equals(sealed)).toBe(false);
});

test.each([
  ['with another secret', createSealer('another', 'tests'), (sealed: Buffer) => sealed],
  ['for another purpose', createSealer('the secret', 'other'), (sealed: Buffer) => sealed],
  [
    'after a change',
    sealer,
    (sealed: Buffer) => Buffer.from(sealed.map((byte, i) => (i === 30 ? byte ^ 1 : byte))),
  ],
  ['cut short', sealer, (sealed: Buffer) => sealed.subarray(0, 20)],
])('nothing opens %s', (_name, other, change) => {
  expect(other.open(change(sealer.seal('ghs_1234')))).toBeNull();
});

test('no byte can be changed unseen', () => {
  const sealed = sealer.seal('ghs_1234');
  for (const at of sealed.keys()) {
    const changed = Buffer.from(sealed);
    changed[at]! ^= 1;
    expect(sealer.open(changed)).toBeNull();
  }
});

test('what was sealed for one row opens for no other', () => {
  const sealed = sealer.seal('ghs_1234', 'row 1');
  expect(sealer.open(sealed, 'row 1')).toBe('ghs_1234');
  expect(sealer.open(sealed, 'row 2')).toBeNull();
  expect(sealer.open(sealed)).toBeNull();
});

describe('a keyring', () => {
  const [first, second] = ['k1', 'k2'].map((id) => ({ id, base64: randomBytes(32).toString('base64') }));
  const ring = (...keys: (typeof first)[]) =>
    createKeyring(
      keys.map((key) => key!),
      'tests',
    );

  test('seals with the first key and opens with any', () => {
    const old = ring(first).seal('text', 'row')!;
    expect(old.keyId).toBe('k1');
    const both = ring(second, first);
    expect(both.seal('text', 'row')).toMatchObject({ keyId: 'k2' });
    expect(both.open(old, 'row')).toEqual({ kind: 'opened', text: 'text' });
  });

  test('names the key that it lacks', () => {
    expect(ring(second).open(ring(first).seal('text', 'row')!, 'row')).toEqual({
      kind: 'no_key',
      keyId: 'k1',
    });
  });

  test('refuses what belongs to another row, and a key that took the name of another', () => {
    const sealed = ring(first).seal('text', 'row')!;
    expect(ring(first).open(sealed, 'other')).toEqual({ kind: 'refused', keyId: 'k1' });
    const impostor = ring({ id: 'k1', base64: second!.base64 });
    expect(impostor.open(sealed, 'row')).toEqual({ kind: 'refused', keyId: 'k1' });
  });

  test('without keys seals nothing', () => {
    expect(ring().seal('text', 'row')).toBeNull();
    expect(ring().keyIds).toEqual([]);
  });
});
