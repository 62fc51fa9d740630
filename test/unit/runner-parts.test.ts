import { describe, expect, test } from '@jest/globals';
import { type Answer, backoffMs, classify } from '../../src/runner/client.ts';
import { gitEnvironment, runEnvironment } from '../../src/runner/environment.ts';
import { fitData, jsonBytes } from '../../src/runner/fit.ts';
import { createLineSplitter } from '../../src/runner/lines.ts';
import { type EventBatch, LIMITS, type RunEvent, type RunnerConfig } from '../../src/runner/protocol.ts';
import { createReporter, nextBatch } from '../../src/runner/reporter.ts';
import { refusalOf } from '../../src/runner/steps/push.ts';
import { until } from '../harness/until.ts';

describe('an answer of the gateway', () => {
  test.each([
    [410, 'stale'],
    [408, 'unclear'],
    [429, 'unclear'],
    [500, 'unclear'],
    [503, 'unclear'],
    [400, 'refused'],
    [401, 'refused'],
    [409, 'refused'],
    [413, 'refused'],
  ])('with status %d is %s', (status, kind) => {
    expect(classify(status, '{}').kind).toBe(kind);
  });

  test('that is cut off is unclear and not a success', () => {
    expect(classify(200, '{"next":')).toMatchObject({ kind: 'unclear' });
    expect(classify(200, '{"next":"wait"}')).toEqual({ kind: 'ok', body: { next: 'wait' } });
  });

  test('is asked for again after waits that grow to ten seconds', () => {
    expect(backoffMs(1)).toBeLessThanOrEqual(250);
    expect(backoffMs(40)).toBeGreaterThanOrEqual(7_500);
    expect(backoffMs(40)).toBeLessThanOrEqual(12_500);
  });
});

describe('event data', () => {
  test('is cut at its longest text until it fits, and keeps the rest', () => {
    const data = fitData({ name: 'bash', text: 'é'.repeat(50_000) }, LIMITS.eventBytes);
    expect(jsonBytes(data)).toBeLessThanOrEqual(LIMITS.eventBytes);
    expect(data).toEqual({ name: 'bash', text: expect.stringMatching(/^é+… \(cut\)$/) });
  });

  test('that holds no text to cut is replaced', () => {
    expect(fitData({ list: Array.from({ length: 9_000 }, () => 1) }, LIMITS.eventBytes)).toEqual({
      cut: true,
    });
  });

  test('holds nothing that a database refuses', () => {
    expect(fitData({ text: 'a\0b\ud800' }, LIMITS.eventBytes)).toEqual({ text: 'a\uFFFDb\uFFFD' });
  });
});

describe('a line', () => {
  const split = (parts: string[], limit?: number): string[] => {
    const lines: string[] = [];
    const splitter = createLineSplitter((line) => lines.push(line), limit);
    for (const part of parts) splitter.push(part);
    splitter.end();
    return lines;
  };

  test('may arrive in pieces, and the last one needs no line break', () => {
    expect(split(['{"a"', ':1}\n{"b":', '2}\n\n{"c"'])).toEqual(['{"a":1}', '{"b":2}', '{"c"']);
  });

  test('beyond the limit is skipped whole and the next one is read', () => {
    expect(split(['xxxx', 'xxxx', 'xx\nok\n', 'yyyyyyyyyyyy\n', 'end'], 6)).toEqual(['ok', 'end']);
  });
});

describe('the reporter', () => {
  const event = (seq: number, data: RunEvent['data'] = {}): RunEvent => ({
    seq,
    at: '2026-11-22T10:00:00.000Z',
    type: 'agent.text',
    stepId: null,
    data,
  });

  test('keeps both caps of a batch', () => {
    const small = Array.from({ length: 500 }, (_, at) => event(at + 1));
    expect(nextBatch(small, false)).toHaveLength(LIMITS.batchEvents);
    const large = Array.from({ length: 100 }, (_, at) => event(at + 1, { text: 'x'.repeat(16_000) }));
    const batch = nextBatch(large, false);
    expect(batch.length).toBeGreaterThan(20);
    expect(jsonBytes({ events: batch })).toBeLessThanOrEqual(LIMITS.batchBytes);
  });

  test('drops chatter while the gateway is away, without a gap, and says how much', async () => {
    const reporter = createReporter();
    for (let n = 0; n < 6_000; n += 1) reporter.emit('agent.text', { n });
    reporter.emit('command.ended', {});
    const seen: RunEvent[] = [];
    reporter.start({
      async send({ events }): Promise<Answer> {
        seen.push(...events);
        return { kind: 'ok', body: { acked: seen.length, messages: [] } };
      },
      onMessages() {},
      onStop() {},
    });
    const hurry = setInterval(() => void reporter.flush(1_000), 1);
    await until(() => seen.length >= 5_001);
    reporter.emit('agent.text', { n: 'after' });
    await until(() => seen.at(-1)?.data.n === 'after');
    clearInterval(hurry);
    expect(seen.map(({ seq }) => seq)).toEqual(seen.map((_, at) => at + 1));
    expect(seen.find(({ type }) => type === 'agent.error')?.data.message).toBe(
      '1000 events were dropped because the gateway was away',
    );
  });

  test('sends a refused batch once more without its data and stops when that is refused too', async () => {
    const reporter = createReporter();
    const sent: EventBatch[] = [];
    let why = '';
    reporter.emit('agent.text', { text: 'hi' });
    reporter.start({
      async send(batch): Promise<Answer> {
        sent.push(batch);
        return { kind: 'refused', status: 400, text: '' };
      },
      onMessages() {},
      onStop(reason) {
        why = reason;
      },
    });
    await until(() => why !== '');
    expect(why).toBe('refused');
    expect(sent.map(({ events }) => events[0]?.data)).toEqual([{ text: 'hi' }, { refused: true }]);
  });

  test('keeps one heartbeat waiting, not many', async () => {
    const reporter = createReporter();
    for (let n = 0; n < 10; n += 1) reporter.emit('heartbeat', {});
    const seen: RunEvent[] = [];
    reporter.start({
      async send({ events }): Promise<Answer> {
        seen.push(...events);
        return { kind: 'ok', body: { acked: seen.length, messages: [] } };
      },
      onMessages() {},
      onStop() {},
    });
    await reporter.flush(1_000);
    expect(seen).toHaveLength(1);
  });
});

describe('an environment', () => {
  const config = {
    home: '/home/agent',
    node: '/opt/node/bin/node',
    generation: 3,
    gateway: { kind: 'socket', path: '/run/gateway.sock' },
    environment: { SPEC_ID: 'x', GITHUB_TOKEN: 'canary', PATH: '/evil' },
  } as unknown as RunnerConfig;

  test('never holds a credential, whoever sets it', () => {
    const extra = {
      ANTHROPIC_API_KEY: 'canary',
      CLAUDE_CODE_OAUTH_TOKEN: 'canary',
      AWS_SECRET_ACCESS_KEY: 'canary',
      CREDENTIAL_KEYS: 'canary',
      DRIVER: 'yes',
      GATEWAY_URL: 'x',
    };
    expect(runEnvironment(config, { phase: 'explore', gatewayUrl: 'http://127.0.0.1:1', extra })).toEqual({
      SPEC_ID: 'x',
      DRIVER: 'yes',
      SPEC_PHASE: 'explore',
      GATEWAY_URL: 'http://127.0.0.1:1',
      HTTPS_PROXY: 'http://3:sandbox@127.0.0.1:1',
      https_proxy: 'http://3:sandbox@127.0.0.1:1',
      HTTP_PROXY: 'http://3:sandbox@127.0.0.1:1',
      http_proxy: 'http://3:sandbox@127.0.0.1:1',
      NO_PROXY: '127.0.0.1,localhost',
      no_proxy: '127.0.0.1,localhost',
      HOME: '/home/agent',
      PATH: '/opt/node/bin:/usr/local/bin:/usr/bin:/bin',
      LANG: 'C.UTF-8',
    });
  });

  test("of the runner's own git takes nothing from the run", () => {
    expect(Object.keys(gitEnvironment(config))).toEqual([
      'HOME',
      'PATH',
      'LANG',
      'GIT_TERMINAL_PROMPT',
      'GIT_CONFIG_NOSYSTEM',
      'GIT_LFS_SKIP_SMUDGE',
    ]);
  });
});

test.each([
  ['!\tHEAD:refs/heads/x\t[remote rejected] (only y)\n', '', 'only y'],
  ['!\tHEAD:refs/heads/x\t[rejected] (non-fast-forward)\n', '', 'non-fast-forward'],
  ['!\tHEAD:refs/x\t[remote failure] (remote failed to report status)\n', 'hung up', null],
  [
    '',
    "remote: its own repository only\nfatal: unable to access 'x': The requested URL returned error: 403",
    'its own repository only',
  ],
  ['', "fatal: unable to access 'x': The requested URL returned error: 502", null],
  ['', '', null],
])('push output %# is read as a refusal or not', (stdout, stderr, reason) => {
  expect(refusalOf({ stdout, stderr })).toBe(reason);
});
