import { GitHubError, type GitHubErrorKind, MINT_ROUTE } from './errors.ts';

type Headers = Readonly<Record<string, string | number | undefined>>;

export interface Answer {
  readonly callSite: string;
  readonly status: number;
  readonly headers: Headers;
  readonly data: unknown;
  readonly now: Date;
}

// GitHub asks for at least one minute when a limit names no time.
// https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
const UNNAMED_LIMIT_MS = 60_000;
const DETAIL_CHARACTERS = 500;

const BY_STATUS: Readonly<Record<number, GitHubErrorKind>> = {
  301: 'moved',
  304: 'not_modified',
  302: 'moved',
  307: 'moved',
  308: 'moved',
  401: 'unauthorized',
  404: 'not_found',
  405: 'conflict',
  408: 'unavailable',
  409: 'conflict',
  410: 'gone',
  451: 'blocked',
};

/** Words that GitHub uses where the status alone does not tell; the first that match decide. */
const BY_WORDS: readonly (readonly [number, RegExp, GitHubErrorKind])[] = [
  [403, /secondary rate limit|abuse detection/i, 'secondary_limited'],
  [403, /rate limit exceeded/i, 'rate_limited'],
  [403, /suspended/i, 'suspended'],
  [403, /archived/i, 'archived'],
  [403, /access blocked|dmca/i, 'blocked'],
  [422, /submitted too quickly/i, 'secondary_limited'],
  [422, /already exists|already_exists/i, 'exists'],
];

/** A narrowed token is refused with 422 whatever is missing: the permission or the repository. */
const BY_WORDS_OF_MINT: readonly (readonly [number, RegExp, GitHubErrorKind])[] = [
  [422, /permissions requested are not granted/i, 'forbidden'],
  [422, /repository that does not exist or is not accessible/i, 'not_found'],
];

/** The one place that says what an HTTP answer (status 300 and up, or a body that is no JSON) means. */
export function classifyAnswer(answer: Answer): GitHubError {
  const detail = detailOf(answer.data);
  const kind = kindOf(answer, detail);
  const limited = kind === 'rate_limited' || kind === 'secondary_limited';
  const location = answer.headers.location;
  return new GitHubError({
    kind,
    callSite: answer.callSite,
    status: answer.status,
    ambiguous: kind === 'unavailable' && isWrite(answer.callSite),
    detail,
    ...(limited || kind === 'unavailable' ? { retryAt: retryAtOf(answer, limited) } : {}),
    unnamedLimit: limited && !namesTime(answer.headers),
    ...(location === undefined ? {} : { location: String(location) }),
  });
}

/** What it means that no answer came: a write that may have left this machine is ambiguous. */
export function classifySilence(callSite: string, error: unknown): GitHubError {
  const code = codeOf(error);
  const timedOut = /TimeoutError|AbortError|ETIMEDOUT|UND_ERR_(HEADERS|BODY)_TIMEOUT/.test(code);
  return new GitHubError({
    kind: timedOut ? 'timeout' : 'unavailable',
    callSite,
    code,
    ambiguous: isWrite(callSite) && !NEVER_CONNECTED.test(code),
  });
}

const NEVER_CONNECTED =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|CERT_.*|ERR_TLS_.*|UNABLE_TO_.*|.*_CERT.*)$/;

/** True when a call site changes something at GitHub that somebody can see; a token nobody received is nothing. */
export function isWrite(callSite: string): boolean {
  return !/^(GET|HEAD) /.test(callSite) && callSite !== MINT_ROUTE;
}

function kindOf(answer: Answer, detail: string): GitHubErrorKind {
  const { status, headers } = answer;
  // A 2xx lands here only when its body is a web page or cut off: some proxy answered, or the line broke.
  if (status >= 500 || status < 300) return 'unavailable';
  if (status === 403 || status === 429) {
    if (String(headers['x-ratelimit-remaining']) === '0') return 'rate_limited';
    if (status === 429 || headers['retry-after'] !== undefined) return 'secondary_limited';
  }
  const words = answer.callSite === MINT_ROUTE ? [...BY_WORDS_OF_MINT, ...BY_WORDS] : BY_WORDS;
  const spoken = words.find(([of, pattern]) => of === status && pattern.test(detail));
  return spoken?.[2] ?? BY_STATUS[status] ?? (status === 403 ? 'forbidden' : 'invalid');
}

function retryAtOf(answer: Answer, limited: boolean): Date | undefined {
  const { headers, now } = answer;
  const after = headers['retry-after'];
  if (after !== undefined) return inMs(now, waitOf(String(after), now));
  if (!limited) return undefined;
  if (!namesTime(headers)) return inMs(now, UNNAMED_LIMIT_MS);
  const reset = Number(headers['x-ratelimit-reset']) * 1000;
  // Both times are of GitHub's clock: their difference holds here too, whatever the clock here says.
  const theirs = Date.parse(String(headers.date));
  return inMs(now, reset - (Number.isNaN(theirs) ? now.getTime() : theirs));
}

function namesTime(headers: Headers): boolean {
  if (headers['retry-after'] !== undefined) return true;
  return String(headers['x-ratelimit-remaining']) === '0' && Number(headers['x-ratelimit-reset']) > 0;
}

function waitOf(retryAfter: string, now: Date): number {
  const seconds = Number(retryAfter);
  const ms = Number.isNaN(seconds) ? Date.parse(retryAfter) - now.getTime() : seconds * 1000;
  return Number.isNaN(ms) ? UNNAMED_LIMIT_MS : ms;
}

function inMs(now: Date, ms: number): Date {
  return new Date(now.getTime() + Math.max(ms, 1000));
}

function detailOf(data: unknown): string {
  if (typeof data !== 'object' || data === null || !('message' in data)) return '';
  const errors = 'errors' in data && Array.isArray(data.errors) ? data.errors : [];
  const parts = [data.message, ...errors.map(errorText)].filter((part) => typeof part === 'string');
  return parts
    .filter((part) => part !== '')
    .join('; ')
    .slice(0, DETAIL_CHARACTERS);
}

function errorText(error: unknown): string {
  if (typeof error === 'string') return error;
  if (typeof error !== 'object' || error === null) return '';
  if ('message' in error && typeof error.message === 'string') return error.message;
  const { resource, field, code } = error as Record<string, unknown>;
  return [resource, field, code].filter((part) => typeof part === 'string').join(' ');
}

function codeOf(error: unknown): string {
  let deepest = 'unknown';
  for (let at: unknown = error; typeof at === 'object' && at !== null; at = 'cause' in at ? at.cause : null) {
    const { code, name } = at as { code?: unknown; name?: unknown };
    if (typeof code === 'string') deepest = code;
    else if (name === 'TimeoutError' || name === 'AbortError') deepest = name;
  }
  return deepest;
}
