import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Clock } from '../../src/clock.ts';
import type { WriteKind } from '../../src/github/budget.ts';
import { createGitHub, type GitHub, type GitHubOptions, type RepoRef } from '../../src/github/client.ts';
import { GitHubError } from '../../src/github/errors.ts';
import type { SentCall } from '../../src/github/wire.ts';

type Json = Record<string, unknown>;

export const REPO: RepoRef = { installationId: 7, repositoryId: 42, owner: 'acme', name: 'shop' };
export const API = 'https://api.github.com';
export const [A, B, C] = ['a', 'b', 'c'].map((letter) => letter.repeat(40)) as [string, string, string];

const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});

/** A recorded answer of GitHub, by its name under test/fixtures/github. */
export function fixture(name: string): Json {
  return JSON.parse(readFileSync(new URL(`../fixtures/github/${name}.json`, import.meta.url), 'utf8'));
}

/** One of the sentences in which GitHub refuses. */
export function refusal(name: string): Json {
  const body = (fixture('refusals') as Record<string, Json>)[name];
  if (body === undefined) throw new Error(`no such refusal: ${name}`);
  return body;
}

export interface Stage {
  readonly gh: GitHub;
  readonly calls: SentCall[];
  readonly logged: unknown[];
  /** Milliseconds that were slept, in order; nothing really sleeps. */
  readonly slept: number[];
  readonly spent: WriteKind[];
  /** What the next takes from the write budget answer; empty means yes. */
  readonly refusals: Date[];
}

/** A client with everything it does recorded. */
export function stage(overrides: Partial<GitHubOptions> = {}): Stage {
  const recorded = {
    calls: [] as SentCall[],
    logged: [] as unknown[],
    slept: [] as number[],
    spent: [] as WriteKind[],
    refusals: [] as Date[],
  };
  const clock: Clock = {
    now: () => new Date(),
    sleep: async (ms) => void recorded.slept.push(ms),
  };
  const gh = createGitHub({
    appId: 1234,
    privateKey,
    clock,
    userAgent: 'specwright-test',
    budget: {
      take: async (_installation, kind) => {
        recorded.spent.push(kind);
        const retryAt = recorded.refusals.shift();
        return retryAt ? { ok: false, retryAt } : { ok: true };
      },
    },
    log: {
      debug: (fields, message) => void recorded.logged.push([fields, message]),
      warn: (fields, message) => void recorded.logged.push([fields, message]),
    },
    onCall: (call) => void recorded.calls.push(call),
    ...overrides,
  });
  return { gh, ...recorded };
}

/** The GitHubError that a call ends with; anything else fails the test. */
export async function failureOf(promise: Promise<unknown>): Promise<GitHubError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof GitHubError) return error;
  throw new Error('no GitHubError', { cause: error });
}

/** How often a client with a fresh token asks before it believes a refusal that may be about what is new. */
export function asked(status: number, name = 'not_found'): number {
  if (status === 404 || status === 410) return 3;
  return status === 403 && name === 'no_permission' ? 6 : 1;
}
