import { expect, test } from '@jest/globals';
import { createSealer } from '../../src/seal.ts';

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
