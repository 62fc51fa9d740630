/**
 * Keeps secrets out of every text that leaves the process. Two nets: registered values in each form in which they
 * may be printed, and the shapes of credentials that nobody registered. Every pattern runs in linear time, since
 * the text may be hostile.
 */

export const CENSORED = '[censored]';

/** Shorter values would blank out ordinary words; the shapes below still catch them in URLs and headers. */
const MIN_REGISTERED = 8;
/** A line of a PEM body has 64 characters; its last one may be short. */
const MIN_PEM_LINE = 32;

export interface Censor {
  (text: string): string;
  /** Censors a further value from now on, until the returned function is called. */
  register(value: string): () => void;
}

/** Makes a censor that knows `secrets`; values shorter than 8 characters are caught by their shape alone. */
export function createCensor(secrets: readonly string[] = []): Censor {
  const registered = new Map<object, readonly string[]>();
  function register(value: string): () => void {
    const key = {};
    if (value.length >= MIN_REGISTERED) registered.set(key, formsOf(value));
    return () => registered.delete(key);
  }
  for (const secret of secrets) register(secret);
  function censor(text: string): string {
    let safe = text;
    for (const forms of registered.values()) {
      for (const form of forms) if (safe.includes(form)) safe = safe.replaceAll(form, CENSORED);
    }
    return censorShapes(safe);
  }
  return Object.assign(censor, { register });
}

/** Censors what looks like a credential, whoever it belongs to. */
export function censorShapes(text: string): string {
  return text
    .replace(
      // A cut-off key has no END line; the body alone ends the match then.
      /-----BEGIN [A-Z]{0,12} ?PRIVATE KEY-----(?:[A-Za-z0-9+/=\s]|\\+[nr])*(?:-----END [A-Z]{0,12} ?PRIVATE KEY-----)?/g,
      CENSORED,
    )
    .replace(
      /(?:gh[opsur]_[A-Za-z0-9._-]|github_pat_[A-Za-z0-9_]|sk-(?:ant|proj|svcacct|admin)-[A-Za-z0-9_-]|ya29\.[A-Za-z0-9_-])[A-Za-z0-9._-]{19,}/g,
      CENSORED,
    )
    .replace(/\b(Bearer|Basic)(\s+)[A-Za-z0-9._~+/=-]{16,}/gi, `$1$2${CENSORED}`)
    .replace(/:\/\/[^\s/"'<>]{1,2000}@/g, `://${CENSORED}@`)
    .replace(/[A-Za-z0-9_.-]{40,}/g, censorJwt);
}

/** A JSON web token is three dotted parts that begin with `{"` in base64. */
function censorJwt(run: string): string {
  const start = run.indexOf('eyJ');
  if (start < 0 || run.slice(start).split('.', 3).length < 3) return run;
  return run.slice(0, start) + CENSORED;
}

/** The forms in which a value may be printed, longest first, so that no form leaves the rest of another behind. */
function formsOf(value: string): string[] {
  const whole = [
    value,
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value),
    encodeURIComponent(value).replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    ...[0, 1, 2].flatMap((offset) => base64Within(value, offset)),
  ];
  const lines = value.includes('\n')
    ? value.split('\n').filter((line) => line.length >= MIN_PEM_LINE && !line.startsWith('-----'))
    : [];
  return [...new Set([...whole, ...lines])].sort((a, b) => b.length - a.length);
}

/**
 * What is the same of a value's base64 wherever it stands in a longer text (`user:value`): the characters that
 * depend on the bytes before and after are left out.
 */
function base64Within(value: string, offset: number): string[] {
  const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(value)]);
  const first = Math.ceil((offset * 8) / 6);
  const last = Math.floor((bytes.length * 8) / 6);
  return [bytes.toString('base64'), bytes.toString('base64url')].map((text) => text.slice(first, last));
}
