import { describe, expect, test } from '@jest/globals';
import { FLUSH, packet, parsePushHead } from '../../src/http/gateway/git/pkt.ts';
import { judgePush } from '../../src/http/gateway/git/policy.ts';
import { readReport, refusalReport } from '../../src/http/gateway/git/report.ts';

const ZERO = '0'.repeat(40);
const [A, B] = ['a'.repeat(40), 'b'.repeat(40)];
const REF = 'refs/specwright/0123abcd';
const BANDS = new Set(['report-status', 'side-band-64k']);
const PLAIN = new Set(['report-status']);

function push(...lines: string[]): Buffer {
  return Buffer.concat([...lines.map((line) => packet(line)), FLUSH, Buffer.from('PACK…')]);
}

function judge(recordedSha: string | null, ...lines: string[]): string {
  const head = parsePushHead(push(...lines));
  if (head.kind !== 'head') return head.kind;
  const verdict = judgePush(head, { checkpointRef: REF, recordedSha });
  return verdict.kind === 'refused' ? verdict.reason : verdict.kind;
}

describe('the head of a push', () => {
  test('is read at every point where its bytes may break', () => {
    const whole = push(`${A} ${B} ${REF}\0report-status agent=git/2.39`);
    const end = whole.indexOf('PACK');
    for (let at = 0; at < end; at += 1) {
      expect([at, parsePushHead(whole.subarray(0, at)).kind]).toEqual([at, 'more']);
    }
    expect(parsePushHead(whole)).toEqual({
      kind: 'head',
      commands: [{ oldSha: A, newSha: B, ref: REF }],
      capabilities: new Set(['report-status', 'agent=git/2.39']),
      extras: [],
      length: end,
    });
  });

  test.each([
    'zzzz',
    '0003',
    '0001',
    packet('hello').toString(),
    packet(`${A} ${B}`).toString(),
    packet(`${A} ${B} two words`).toString(),
    packet(`${A.toUpperCase()} ${B} ${REF}`).toString(),
  ])('%j is none', (bytes) => {
    expect(parsePushHead(Buffer.from(`${bytes}0000`))).toEqual({ kind: 'bad' });
  });
});

describe('a push', () => {
  test.each<[string | null, string, ...string[]]>([
    [null, 'allowed', `${ZERO} ${B} ${REF}\0report-status`],
    [A, 'allowed', `${A} ${B} ${REF}\0report-status`],
    [A, 'probe'],
    [A, 'the ref is not where the last recorded push left it', `${B} ${A} ${REF}`],
    [A, 'the ref is not where the last recorded push left it', `${ZERO} ${B} ${REF}`],
    [null, 'the ref is not where the last recorded push left it', `${A} ${B} ${REF}`],
    [A, 'deleting is not allowed', `${A} ${ZERO} ${REF}`],
    [A, `only ${REF} may be pushed to`, `${A} ${B} ${REF}x`],
    [A, `only ${REF} may be pushed to`, `${A} ${B} refs/heads/main`],
    [A, 'one ref at a time: the whole push was refused', `${A} ${B} ${REF}`, `${A} ${B} refs/heads/main`],
    [A, 'push options are not taken', `${A} ${B} ${REF}\0report-status push-options`],
    [A, 'pushes from a shallow clone are not taken', `shallow ${A}`, `${A} ${B} ${REF}`],
    [A, 'signed pushes are not taken', 'push-cert\0report-status'],
  ])('over %s is %s', (recorded, verdict, ...lines) => {
    expect(judge(recorded, ...lines)).toBe(verdict);
  });
});

describe("the host's report", () => {
  const report = (...lines: string[]): Buffer =>
    Buffer.concat([...lines.map((line) => packet(`${line}\n`)), FLUSH]);
  const banded = (...parts: [band: number, bytes: Buffer][]): Buffer =>
    Buffer.concat([
      ...parts.map(([band, bytes]) => packet(Buffer.concat([Buffer.from([band]), bytes]))),
      FLUSH,
    ]);

  test.each([
    ['accepted', ['unpack ok', `ok ${REF}`]],
    ['accepted', ['unpack ok', `ok ${REF}`, 'option forced-update']],
    ['refused', ['unpack ok', `ng ${REF} protected`]],
    ['refused', ['unpack index-pack abnormal exit', `ng ${REF} unpacker error`]],
    ['unknown', ['unpack ok']],
    ['unknown', []],
  ])('%s: %j, with and without bands', (end, lines) => {
    const bytes = report(...lines);
    expect(readReport(bytes, PLAIN)).toBe(end);
    const half = Math.floor(bytes.length / 2);
    const split = banded(
      [2, Buffer.from('progress')],
      [1, bytes.subarray(0, half)],
      [1, bytes.subarray(half)],
    );
    expect(readReport(split, BANDS)).toBe(end);
  });

  test('that breaks off anywhere is unknown', () => {
    const whole = banded([1, report('unpack ok', `ok ${REF}`)]);
    for (let at = 0; at < whole.length; at += 1) {
      expect([at, readReport(whole.subarray(0, at), BANDS)]).toEqual([at, 'unknown']);
    }
    expect(readReport(banded([1, report('unpack ok', `ok ${REF}`)], [3, Buffer.from('died')]), BANDS)).toBe(
      'unknown',
    );
  });

  test('is one that our own refusal can be read by', () => {
    const commands = Array.from({ length: 100 }, (_, n) => ({
      oldSha: A,
      newSha: B,
      ref: `refs/heads/${n}`,
    }));
    for (const capabilities of [BANDS, PLAIN]) {
      expect(readReport(refusalReport(commands, 'no', capabilities), capabilities)).toBe('refused');
    }
  });
});
