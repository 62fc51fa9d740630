import type { Fault, RequestRecord } from '../../src/emulator/emulator.ts';
import { sized } from './claims.ts';

/** One way in which a call to GitHub goes wrong. */
export interface NamedFault {
  readonly name: string;
  /** GitHub did what it was asked, and nobody hears of it. */
  readonly afterCommit?: true;
  /** GitHub asks for no calls for so many seconds. */
  readonly quietSeconds?: number;
  of(at: { readonly record: RequestRecord; readonly apiUrl: string; readonly repositoryId: number }): Fault;
}

/** How long one call may take in these tests; milliseconds. */
export const PATIENCE_MS = sized(1200, 3000);
/** Longer than that. */
const LATE_MS = PATIENCE_MS * 1.5;

const PAGE = '<!doctype html><html><body><h1>Unicorn!</h1></body></html>';
const answer = (name: string, status: number, message: string, more: object = {}): NamedFault => ({
  name,
  of: () => ({ status, body: { message, ...more } }),
});
const soon = () => String(Math.ceil(Date.now() / 1000) + 90);

/** Everything that GitHub, or what lies between, is known to do. */
export const faults: readonly NamedFault[] = [
  answer('500', 500, 'Server Error'),
  answer('502', 502, 'Bad Gateway'),
  { name: '502 Retry-After', of: () => ({ status: 502, headers: { 'retry-after': '2' } }) },
  answer('503', 503, 'Service Unavailable'),
  { name: '503 Retry-After', of: () => ({ status: 503, headers: { 'retry-after': '2' } }) },
  { name: 'timeout', afterCommit: true, of: () => ({ delayMs: LATE_MS }) },
  { name: 'reset before commit', of: () => ({ before: 'reset' }) },
  { name: 'reset after commit', afterCommit: true, of: () => ({ after: 'reset' }) },
  { name: '502 after commit', afterCommit: true, of: () => ({ after: 502 }) },
  { name: 'reset mid-body', afterCommit: true, of: () => ({ after: 'half' }) },
  { name: 'HTML body', of: () => ({ status: 200, body: PAGE, headers: { 'content-type': 'text/html' } }) },
  { name: 'HTML body after commit', afterCommit: true, of: () => ({ after: 200, body: PAGE }) },
  { name: 'empty 200', afterCommit: true, of: () => ({ after: 200, body: '' }) },
  {
    name: '301',
    of: ({ record, apiUrl, repositoryId }) => ({
      redirect: `${apiUrl}/repositories/${repositoryId}${record.path.replace(/^.*?\/repos\/[^/]+\/[^/?]+/, '')}`,
    }),
  },
  answer('401', 401, 'Bad credentials'),
  {
    name: '403 secondary Retry-After',
    quietSeconds: 30,
    of: () => ({
      status: 403,
      body: { message: 'You have exceeded a secondary rate limit.' },
      headers: { 'retry-after': '30' },
    }),
  },
  { ...answer('403 secondary', 403, 'You have exceeded a secondary rate limit.'), quietSeconds: 60 },
  {
    name: '403 primary',
    quietSeconds: 88,
    of: () => ({
      status: 403,
      body: { message: 'API rate limit exceeded for installation.' },
      headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': soon() },
    }),
  },
  answer('403', 403, 'Resource not accessible by integration'),
  answer('404', 404, 'Not Found'),
  answer('409', 409, 'Conflict'),
  answer('410', 410, 'Gone'),
  answer('422 exists', 422, 'Validation Failed', {
    errors: [{ resource: 'Thing', code: 'already_exists', message: 'It already exists.' }],
  }),
  answer('422 invalid', 422, 'Validation Failed', {
    errors: [{ resource: 'Thing', field: 'it', code: 'invalid' }],
  }),
  {
    name: '429',
    quietSeconds: 30,
    of: () => ({ status: 429, body: { message: 'Too many' }, headers: { 'retry-after': '30' } }),
  },
  answer('451', 451, 'Repository access blocked'),
];

/** A fault by its name. */
export function fault(name: string): NamedFault {
  const found = faults.find((one) => one.name === name);
  if (!found) throw new Error(`no fault is called ${name}`);
  return found;
}
