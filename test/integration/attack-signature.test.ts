import { createHmac, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isSigned, parseSignature } from '../../src/http/ingress/signature.ts';
import { recordClaim, sized } from '../harness/claims.ts';
import type { FreshDatabase } from '../harness/database.ts';
import { type IngressServer, SECRET, startFreshIngress } from '../harness/ingress.ts';
import { type Random, seeded } from '../harness/random.ts';
import { sign, signedPost } from '../harness/webhook-examples.ts';

let fresh: FreshDatabase;
let server: IngressServer;

beforeAll(async () => {
  ({ fresh, server } = await startFreshIngress());
});
afterAll(() => server.close());

const BODY = '{"action":"labeled","canary":"canary-of-the-forger"}';

/** Ways to sign without the secret; each makes a value for the header. */
const forgeries: readonly ((random: Random) => string)[] = [
  (random) => sign(BODY, `guess-${random.int(1e9)}`),
  (random) => sign(`${BODY}${random.int(1e9)}`, SECRET),
  (random) => sign(BODY, SECRET).slice(0, -1 - random.int(70)),
  (random) => flipped(sign(BODY, SECRET), random),
  () => sign(BODY, SECRET).toUpperCase(),
  () => sign(BODY, SECRET).replace('sha256=', 'sha1='),
  () => `sha1=${createHmac('sha1', SECRET).update(BODY).digest('hex')}`,
  () => `sha256=${createHmac('sha512', SECRET).update(BODY).digest('hex')}`,
  () => `sha256=${createHmac('sha256', SECRET).update(BODY).digest('base64')}`,
  (random) => `sha256=${Array.from({ length: 64 }, () => random.pick('ghijxyz!%'.split(''))).join('')}`,
  () => `${sign(BODY, SECRET)}, ${sign(BODY, SECRET)}`,
  () => sign(BODY, ''),
  () => '',
];

/** One hex digit is another. */
function flipped(signature: string, random: Random): string {
  const at = 'sha256='.length + random.int(64);
  const other = random.pick('0123456789abcdef'.split('').filter((digit) => digit !== signature[at]));
  return signature.slice(0, at) + other + signature.slice(at + 1);
}

test(
  'forged signatures of every kind get 401, store nothing and log nothing of the payload',
  () =>
    seeded(async (random) => {
      const count = sized(130, 13_000);
      const waiting = Array.from({ length: count }, (_, index) =>
        forgeries[index % forgeries.length]!(random),
      ).values();
      const statuses = new Set<number>();
      const send = async () => {
        for (const signature of waiting) {
          const headers = { 'x-hub-signature-256': signature };
          const delivery = { guid: randomUUID(), event: 'issues', body: BODY, headers };
          statuses.add(await signedPost(server.url, SECRET, delivery));
        }
      };
      await Promise.all(Array.from({ length: 8 }, send));
      expect(statuses).toEqual(new Set([401]));
      expect(await fresh.db('deliveries')).toEqual([]);
      const log = server.lines.join('');
      for (const trace of ['canary', 'sha256', SECRET]) expect(log).not.toContain(trace);
      recordClaim({
        claim: 'forged signatures of 13 kinds are refused',
        figure: `${count} forged, all 401, 0 rows, 0 bytes of a payload in the log`,
        seed: random.seed,
      });
    }),
  600_000,
);

test('the signature that GitHub publishes as an example is good', () => {
  const published = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
  const signature = parseSignature(published)!;
  expect(isSigned(Buffer.from('Hello, World!'), signature, ["It's a Secret to Everybody"])).toBe(true);
  expect(isSigned(Buffer.from('Hello, World?'), signature, ["It's a Secret to Everybody"])).toBe(false);
});

describe('a comparison', () => {
  test('of signatures is made by timingSafeEqual alone, on 32 bytes', async () => {
    const source = await readFile(new URL('../../src/http/ingress/signature.ts', import.meta.url), 'utf8');
    const code = source.replaceAll(/\/\*[\s\S]*?\*\//g, '');
    expect(code.match(/timingSafeEqual\(/g)).toHaveLength(1);
    // Equality is asked of nothing but types, lengths that everybody may know, and emptiness.
    const compared = [...code.matchAll(/(\S+) [!=]==? (\S+?)[);\s?]/g)].map(
      ([, left, right]) => `${left} ${right}`,
    );
    expect(compared.filter((pair) => !/^typeof |undefined$|''$|'string'$/.test(pair))).toEqual([]);
    for (const text of ['sha256=00', `sha256=${'0'.repeat(63)}`, `sha256=${'0'.repeat(66)}`])
      expect(parseSignature(text)).toBeUndefined();
    expect(parseSignature(`sha256=${'0'.repeat(64)}`)).toHaveLength(32);
  });

  // Skipped in the ordinary suite: a hundred thousand measurements, which mean nothing on a machine that does other
  // things meanwhile.
  const unhurried = sized(test.skip, test);

  unhurried(
    'takes as long for a first byte that differs as for a last',
    () =>
      seeded((random) => {
        const SAMPLES = 100_000;
        const body = Buffer.from(BODY);
        const good = createHmac('sha256', SECRET).update(body).digest();
        const wrong = [0, 31].map((at) => {
          const bytes = Buffer.from(good);
          bytes[at] = bytes[at]! ^ 0xff;
          return bytes;
        });
        const times: [number[], number[]] = [[], []];
        for (let round = 0; round < SAMPLES; round += 1) {
          const which = random.int(2) as 0 | 1;
          const began = process.hrtime.bigint();
          isSigned(body, wrong[which]!, [SECRET]);
          times[which].push(Number(process.hrtime.bigint() - began));
        }
        const t = welch(trimmed(times[0]), trimmed(times[1]));
        expect(Math.abs(t)).toBeLessThan(4.5);
        recordClaim({
          claim: 'signatures are compared in constant time',
          figure: `Welch t = ${t.toFixed(2)} over ${SAMPLES} samples`,
          seed: random.seed,
        });
      }),
    60_000,
  );
});

/** Without the slowest tenth: pauses of the machine say nothing about the comparison. */
function trimmed(times: readonly number[]): number[] {
  return times.toSorted((a, b) => a - b).slice(0, Math.floor(times.length * 0.9));
}

function welch(one: readonly number[], other: readonly number[]): number {
  const [a, b] = [moments(one), moments(other)];
  return (a.mean - b.mean) / Math.sqrt(a.variance / one.length + b.variance / other.length);
}

function moments(values: readonly number[]): { mean: number; variance: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return { mean, variance };
}
