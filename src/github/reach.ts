/** What came of one question to GitHub that needs no credentials. */
export type Reach =
  | {
      readonly kind: 'answered';
      readonly ms: number;
      /** GitHub's clock minus ours, in seconds; undefined when the answer carries no date. */
      readonly aheadSeconds: number | undefined;
    }
  /** `code` is the network's: ENOTFOUND, ECONNREFUSED, CERT_HAS_EXPIRED … */
  | { readonly kind: 'silent'; readonly code: string };

const TIMEOUT_MS = 10_000;

/** Asks GitHub's API for anything at all: any answer shows that it can be reached, and what time it is there. */
export async function reachGitHub(apiUrl: string): Promise<Reach> {
  const started = Date.now();
  try {
    const answer = await fetch(`${apiUrl}/meta`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    await answer.body?.cancel();
    const ended = Date.now();
    const theirs = Date.parse(answer.headers.get('date') ?? '');
    // The header was written somewhere between question and answer, and cuts its seconds short.
    const aheadSeconds = Number.isNaN(theirs) ? undefined : (theirs + 500 - (started + ended) / 2) / 1000;
    return { kind: 'answered', ms: ended - started, aheadSeconds };
  } catch (error) {
    return { kind: 'silent', code: codeOf(error) };
  }
}

function codeOf(error: unknown): string {
  const { cause, name } = error as { cause?: { code?: unknown }; name?: string };
  return typeof cause?.code === 'string' ? cause.code : (name ?? 'unknown');
}
