import { describe, expect, test } from '@jest/globals';
import { RetryableError } from '../../src/errors.ts';
import { classifyAnswer, classifySilence } from '../../src/github/classify.ts';
import { GitHubError, type GitHubErrorKind, MINT_ROUTE, orExpected } from '../../src/github/errors.ts';
import { fixture, refusal } from '../harness/github-stage.ts';

const NOW = new Date('2026-03-01T12:00:00Z');
const READ = 'GET /repos/{owner}/{repo}';
const WRITE = 'POST /repos/{owner}/{repo}/pulls';

interface Row {
  readonly status: number;
  readonly body: string;
  readonly headers?: Record<string, string>;
  readonly kind: GitHubErrorKind;
  readonly ambiguous?: true;
  /** Seconds from now. */
  readonly retryAfter?: number;
}

const reset = String(NOW.getTime() / 1000 + 600);
const rows: readonly Row[] = [
  { status: 500, body: 'server_error', kind: 'unavailable', ambiguous: true },
  { status: 502, body: '<html>Bad gateway</html>', kind: 'unavailable', ambiguous: true },
  {
    status: 503,
    body: 'server_error',
    headers: { 'retry-after': '30' },
    kind: 'unavailable',
    ambiguous: true,
    retryAfter: 30,
  },
  { status: 504, body: '', kind: 'unavailable', ambiguous: true },
  { status: 408, body: '', kind: 'unavailable', ambiguous: true },
  { status: 200, body: '<html>Log in</html>', kind: 'unavailable', ambiguous: true },
  { status: 301, body: '', kind: 'moved' },
  { status: 307, body: '', kind: 'moved' },
  { status: 308, body: '', kind: 'moved' },
  { status: 400, body: '', kind: 'invalid' },
  { status: 401, body: 'bad_credentials', kind: 'unauthorized' },
  { status: 403, body: 'no_permission', kind: 'forbidden' },
  { status: 403, body: 'suspended', kind: 'suspended' },
  { status: 403, body: 'archived', kind: 'archived' },
  { status: 403, body: 'dmca', kind: 'blocked' },
  { status: 403, body: 'secondary', kind: 'secondary_limited', retryAfter: 60 },
  {
    status: 403,
    body: 'secondary',
    headers: { 'retry-after': '17' },
    kind: 'secondary_limited',
    retryAfter: 17,
  },
  { status: 403, body: '', headers: { 'retry-after': '17' }, kind: 'secondary_limited', retryAfter: 17 },
  {
    status: 403,
    body: 'primary',
    headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset, date: NOW.toUTCString() },
    kind: 'rate_limited',
    retryAfter: 600,
  },
  {
    status: 403,
    body: 'primary',
    // GitHub's clock is a minute ahead of ours: what counts is how long it says, on its clock.
    headers: {
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': reset,
      date: new Date(NOW.getTime() + 60_000).toUTCString(),
    },
    kind: 'rate_limited',
    retryAfter: 540,
  },
  { status: 403, body: 'primary', kind: 'rate_limited', retryAfter: 60 },
  { status: 429, body: '', kind: 'secondary_limited', retryAfter: 60 },
  {
    status: 429,
    body: '',
    headers: { 'retry-after': 'Sun, 01 Mar 2026 12:02:00 GMT' },
    kind: 'secondary_limited',
    retryAfter: 120,
  },
  { status: 429, body: '', headers: { 'retry-after': 'soon' }, kind: 'secondary_limited', retryAfter: 60 },
  { status: 429, body: '', headers: { 'retry-after': '0' }, kind: 'secondary_limited', retryAfter: 1 },
  {
    status: 429,
    body: '',
    headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset },
    kind: 'rate_limited',
    retryAfter: 600,
  },
  { status: 404, body: 'not_found', kind: 'not_found' },
  { status: 405, body: '', kind: 'conflict' },
  { status: 409, body: 'empty', kind: 'conflict' },
  { status: 410, body: 'gone', kind: 'gone' },
  { status: 422, body: 'ref_exists', kind: 'exists' },
  { status: 422, body: 'pull_exists', kind: 'exists' },
  { status: 422, body: 'label_exists', kind: 'exists' },
  { status: 422, body: 'bad_base', kind: 'invalid' },
  { status: 422, body: 'rename_rule', kind: 'invalid' },
  { status: 422, body: 'too_quickly', kind: 'secondary_limited', retryAfter: 60 },
  { status: 451, body: '', kind: 'blocked' },
];

function classified(row: Row, callSite: string): GitHubError {
  const known = row.body in (fixture('refusals') as object);
  const data = known ? refusal(row.body) : row.body;
  return classifyAnswer({ callSite, status: row.status, headers: row.headers ?? {}, data, now: NOW });
}

describe('an answer', () => {
  test.each(rows)('of $status with "$body" $headers is $kind', (row) => {
    const error = classified(row, WRITE);

    expect(error.kind).toBe(row.kind);
    expect(error.status).toBe(row.status);
    expect(error.ambiguous).toBe(row.ambiguous ?? false);
    const seconds = error.retryAt && (error.retryAt.getTime() - NOW.getTime()) / 1000;
    expect(seconds).toBe(row.retryAfter);
  });

  test('to a question is never ambiguous', () => {
    for (const row of rows) expect(classified(row, READ).ambiguous).toBe(false);
  });

  test('is retryable, says where it was given and nothing of what was said', () => {
    const error = classified(rows.find((row) => row.body === 'bad_base')!, WRITE);

    expect(error).toBeInstanceOf(RetryableError);
    expect(error.message).toBe('GitHub answered 422 (invalid) to POST /repos/{owner}/{repo}/pulls');
    expect(error.detail).toBe('Validation Failed; PullRequest base invalid');
    expect(Object.keys(error)).not.toContain('detail');
    expect(JSON.stringify(error)).not.toContain('Validation');
  });

  test('keeps at most 500 characters of what GitHub said', () => {
    expect(classified({ status: 422, body: 'long', kind: 'invalid' }, WRITE).detail).toHaveLength(500);
  });
});

describe('no answer', () => {
  test.each([
    ['ECONNRESET', 'unavailable', true],
    ['EPIPE', 'unavailable', true],
    ['UND_ERR_SOCKET', 'unavailable', true],
    ['something new', 'unavailable', true],
    ['ETIMEDOUT', 'timeout', true],
    ['UND_ERR_HEADERS_TIMEOUT', 'timeout', true],
    ['UND_ERR_CONNECT_TIMEOUT', 'unavailable', false],
    ['ECONNREFUSED', 'unavailable', false],
    ['ENOTFOUND', 'unavailable', false],
    ['EAI_AGAIN', 'unavailable', false],
    ['CERT_HAS_EXPIRED', 'unavailable', false],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'unavailable', false],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'unavailable', false],
  ] as const)('because of %s is %s, ambiguous for a write: %s', (code, kind, ambiguous) => {
    const cause = Object.assign(new Error('socket'), { code });
    const failed = new Error('request', { cause: new TypeError('fetch failed', { cause }) });

    expect(classifySilence(WRITE, failed)).toMatchObject({ kind, ambiguous, status: undefined });
    expect(classifySilence(READ, failed)).toMatchObject({ kind, ambiguous: false });
  });

  test.each(['TimeoutError', 'AbortError'])('because of a %s is a timeout', (name) => {
    const failed = new Error('request', { cause: new DOMException('ended', name) });

    expect(classifySilence(WRITE, failed)).toMatchObject({ kind: 'timeout', ambiguous: true });
  });

  test('to the wish for a token leaves nothing open', () => {
    expect(classifySilence(MINT_ROUTE, new Error('broken')).ambiguous).toBe(false);
  });
});

describe('an expected refusal', () => {
  const failing = (callSite: string) =>
    Promise.reject(new GitHubError({ kind: 'not_found', callSite, status: 404 }));
  const missing = (error: GitHubError) => (error.kind === 'not_found' ? 'missing' : undefined);

  test('is an outcome', async () => {
    expect(await orExpected(failing(READ), missing)).toBe('missing');
  });

  test('is none when it was the token that was refused', async () => {
    await expect(orExpected(failing(MINT_ROUTE), missing)).rejects.toMatchObject({ kind: 'not_found' });
  });

  test('hides no other error', async () => {
    const bug = new TypeError('a bug');
    await expect(orExpected(Promise.reject(bug), missing)).rejects.toBe(bug);
    await expect(orExpected(failing(READ), () => undefined)).rejects.toBeInstanceOf(GitHubError);
  });
});
