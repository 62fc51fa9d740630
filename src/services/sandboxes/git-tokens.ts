/**
 * Race ledger
 * - A sandbox ends while a git call of its own still asks for a token → once it is released it gets none; one that is
 *   being minted at that moment is waited for and revoked (test/unit/git-tokens).
 * - The process dies → its tokens are in the database, sealed, and whoever closes the sandbox's row has them revoked
 *   (test/unit/git-tokens, test/crash). Between GitHub's answer and the row lie some milliseconds: a token that is lost there
 *   ends within the hour, and nobody has it.
 * - Two revoke the same token → for the second it counts as revoked.
 */
import { StaleError } from '../../errors.ts';
import type { RepoRef } from '../../github/client.ts';
import type { GitAccess } from '../../github/tokens.ts';
import type { KeptToken, KeptTokens } from './kept-tokens.ts';

/** Git tokens of the sandboxes that this process serves. They never leave the gateway unless sealed. */
export interface GitTokens {
  /**
   * The sandbox's token, minted at its first use, again shortly before it ends, and anew when the repository came to
   * another installation or GitHub `refused` it though it is not fresh.
   * @throws StaleError once the sandbox was released
   */
  tokenFor(
    sandboxId: string,
    repo: RepoRef,
    use: { readonly access: GitAccess; readonly refused?: boolean },
  ): Promise<string>;
  /** Revokes what the sandbox used. */
  release(sandboxId: string): Promise<void>;
  /** Revokes what sandboxes that are gone have left, whoever served them. */
  revokeLeft(): Promise<void>;
}

/** A clone or push that starts now may take some minutes. */
const RENEW_BEFORE_MS = 10 * 60_000;
/** A younger token that is refused is not known everywhere yet: another one would be no better. */
const FRESH_MS = 15_000;
/** A call outlives its sandbox by minutes at most, in which far fewer sandboxes end. */
const RELEASED_KEPT = 1000;

interface Held {
  readonly installationId: number;
  readonly askedAt: number;
  readonly token: Promise<KeptToken>;
}

/** Shares them among the calls of a sandbox. */
export function createGitTokens(tokens: KeptTokens): GitTokens {
  const held = new Map<string, Held>();
  const released = new Set<string>();
  const keyOf = (sandboxId: string, access: string) => `${sandboxId}/${access}`;

  const mint = (sandboxId: string, repo: RepoRef, access: GitAccess) => {
    const key = keyOf(sandboxId, access);
    const token = tokens.mint(sandboxId, repo, access);
    const made = { installationId: repo.installationId, askedAt: Date.now(), token };
    held.set(key, made);
    // A failed mint is asked for again by the next call.
    token.catch(() => held.get(key) === made && held.delete(key));
    return token;
  };

  const revokeOnce = (token: Promise<KeptToken>) =>
    // One that could not be minted is none.
    token.then(tokens.revoke, () => {});

  return {
    async tokenFor(sandboxId, repo, { access, refused = false }) {
      if (released.has(sandboxId)) throw new StaleError('the sandbox has ended');
      const key = keyOf(sandboxId, access);
      const known = held.get(key);
      if (known && isSpent(known, repo, refused)) {
        held.delete(key);
        void revokeOnce(known.token);
      }
      const token = await (held.get(key)?.token ?? mint(sandboxId, repo, access));
      if (token.expiresAt.getTime() - Date.now() > RENEW_BEFORE_MS) return token.token;
      if (released.has(sandboxId)) throw new StaleError('the sandbox has ended');
      return (await mint(sandboxId, repo, access)).token;
    },
    async release(sandboxId) {
      released.add(sandboxId);
      for (const oldest of [...released].slice(0, -RELEASED_KEPT)) released.delete(oldest);
      for (const access of ['read', 'write', 'workflows'] as const) {
        const key = keyOf(sandboxId, access);
        const known = held.get(key);
        held.delete(key);
        if (known) await revokeOnce(known.token);
      }
    },
    revokeLeft: tokens.revokeLeft,
  };
}

/** A token of an installation that has lost the repository is worth nothing, and one that GitHub refuses neither. */
function isSpent({ installationId, askedAt }: Held, repo: RepoRef, refused: boolean): boolean {
  if (installationId !== repo.installationId) return true;
  return refused && Date.now() - askedAt > FRESH_MS;
}
