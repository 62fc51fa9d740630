import { describe, expect, test } from '@jest/globals';
import { createLogger } from '../../src/log.ts';

const secret = 'S3cret/value+with=signs-0123456789';

function logger(level: 'info' | 'debug' = 'info') {
  const lines: string[] = [];
  const log = createLogger({
    level,
    secrets: [secret],
    destination: { write: (line) => void lines.push(line) },
  });
  return { log, lines, parsed: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe('a log line', () => {
  test('is one JSON object with a static message, its fields and its bindings', () => {
    const { log, parsed } = logger();
    log
      .child({ delivery: 'guid-1', installation: 7 })
      .child({ spec: 'id' })
      .info({ ms: 12 }, 'delivery handled');
    expect(parsed()).toEqual([
      {
        level: 'info',
        time: expect.any(String),
        pid: process.pid,
        delivery: 'guid-1',
        installation: 7,
        spec: 'id',
        ms: 12,
        msg: 'delivery handled',
      },
    ]);
  });

  test('below the level is not written', () => {
    const { log, lines } = logger();
    log.debug({}, 'detail');
    expect(lines).toEqual([]);
  });

  test('stays one line whatever a field holds', () => {
    const { log, lines } = logger();
    log.warn({ branch: 'a\n{"level":"fatal"}' }, 'odd name');
    expect(lines).toHaveLength(1);
    expect(lines[0]?.match(/\n/g)).toHaveLength(1);
  });
});

describe('secrets in a log line', () => {
  test('are censored in fields, nested fields, messages, error texts, stacks and causes', () => {
    const { log, lines, parsed } = logger();
    const error = new Error(`refused ${secret}`, { cause: new Error(`inner ${encodeURIComponent(secret)}`) });
    log.error(
      { err: error, nested: { list: [Buffer.from(secret).toString('base64')] } },
      `message ${secret}`,
    );
    const text = lines.join('');
    expect(text).not.toContain(secret);
    expect(text).not.toContain(encodeURIComponent(secret));
    expect(text).not.toContain(Buffer.from(secret).toString('base64').slice(0, -4));
    expect(parsed()[0]).toMatchObject({
      err: { message: 'refused [censored]', cause: { message: 'inner [censored]' } },
    });
  });

  test('registered later are censored in every child made before', () => {
    const { log, lines } = logger();
    const child = log.child({ run: 'r' });
    log.registerSecret('a-later-bearer');
    child.info({ value: 'a-later-bearer' }, 'x');
    expect(lines.join('')).not.toContain('a-later-bearer');
  });

  test('are censored in what a library writes through the pino logger', () => {
    const { log, lines } = logger();
    log.pino.child({ name: 'library' }).info(`got ${secret}`);
    expect(lines.join('')).toContain('got [censored]');
  });

  test('never come along on an error: the request and the answer of an HTTP client are left out', () => {
    const { log, lines, parsed } = logger();
    const error = Object.assign(new Error('HttpError'), {
      status: 404,
      request: { headers: { authorization: 'short-token' } },
      response: { data: { payload: 'private text' } },
    });
    log.error({ err: error }, 'github call failed');
    expect(lines.join('')).not.toMatch(/short-token|private text/);
    expect(parsed()[0]).toMatchObject({ err: { status: 404 } });
  });

  test('an error that causes itself ends', () => {
    const { log, lines } = logger();
    const error: Error & { cause?: unknown } = new Error('round');
    error.cause = error;
    log.error({ err: error }, 'x');
    expect(lines).toHaveLength(1);
  });
});
