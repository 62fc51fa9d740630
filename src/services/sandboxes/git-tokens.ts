/**
 * Race ledger
 * - A sandbox ends while a git call of its own still asks for a token → once it is released it gets none; one that is
 *   being minted at that moment is waited for and revoked (test/unit/git-tokens).
 */
import { messageOf, StaleError } from '../../errors.ts';
import type { GitHub, RepoRef } from '../../github/client.ts';
import type { GitToken } from '../../github/tokens.ts';
import type { Logger } from '../../log.ts';

/** Git tokens of the sandboxes that this process serves. They stay in memory and never leave the gateway. */
export interface GitTokens {
  /**
   * The sandbox's token, minted at its first use and again shortly before it ends.
   * @throws StaleError once the sandbox was released
   */
  tokenFor(sandboxId: string, repo: RepoRef, access: 'read' | 'write'): Promise<string>;
  /** Revokes what the sandbox used. */
  release(sandboxId: string): Promise<void>;
}

/** A clone or push that starts now may take some minutes. */
const RENEW_BEFORE_MS = 10 * 60_000;
/** A call outlives its sandbox by minutes at most, in which far fewer sandboxes end. */
const RELEASED_KEPT = 1000;

export function createGitTokens(github: GitHub, log: Logger): GitTokens {
  const held = new Map<string, Promise<GitToken>>();
  const released = new Set<string>();
  const keyOf = (sandboxId: string, access: string) => `${sandboxId}/${access}`;

  const mint = (key: string, repo: RepoRef, access: 'read' | 'write') => {
    const minted = github.mintGitToken(repo, access);
    held.set(key, minted);
    // A failed mint is asked for again by the next call.
    minted.catch(() => held.delete(key));
    return minted;
  };

  const revoke = async (sandboxId: string, token: Promise<GitToken>) => {
    try {
      await (await token).revoke();
    } catch (error) {
      log.warn(
        { sandbox: sandboxId, error: messageOf(error) },
        'git token not revoked, it ends within the hour',
      );
    }
  };

  return {
    async tokenFor(sandboxId, repo, access) {
      if (released.has(sandboxId)) throw new StaleError('the sandbox has ended');
      const key = keyOf(sandboxId, access);
      const token = await (held.get(key) ?? mint(key, repo, access));
      if (token.expiresAt.getTime() - Date.now() > RENEW_BEFORE_MS) return token.token;
      if (released.has(sandboxId)) throw new StaleError('the sandbox has ended');
      return (await mint(key, repo, access)).token;
    },
    async release(sandboxId) {
      released.add(sandboxId);
      for (const oldest of [...released].slice(0, -RELEASED_KEPT)) released.delete(oldest);
      for (const access of ['read', 'write'] as const) {
        const key = keyOf(sandboxId, access);
        const token = held.get(key);
        held.delete(key);
        if (token) await revoke(sandboxId, token);
      }
    },
  };
}
