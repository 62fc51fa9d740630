import { messageOf } from '../../errors.ts';
import type { GitHub, RepoRef } from '../../github/client.ts';
import type { GitToken } from '../../github/tokens.ts';
import type { Logger } from '../../log.ts';

/** Git tokens of the sandboxes that this process serves. They stay in memory and never leave the gateway. */
export interface GitTokens {
  /** The sandbox's token, minted at its first use and again shortly before it ends. */
  tokenFor(sandboxId: string, repo: RepoRef, access: 'read' | 'write'): Promise<string>;
  /** Revokes what the sandbox used. */
  release(sandboxId: string): Promise<void>;
}

/** A clone or push that starts now may take some minutes. */
const RENEW_BEFORE_MS = 10 * 60_000;

export function createGitTokens(github: GitHub, log: Logger): GitTokens {
  const held = new Map<string, Promise<GitToken>>();
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
      const key = keyOf(sandboxId, access);
      const token = await (held.get(key) ?? mint(key, repo, access));
      if (token.expiresAt.getTime() - Date.now() > RENEW_BEFORE_MS) return token.token;
      return (await mint(key, repo, access)).token;
    },
    async release(sandboxId) {
      for (const access of ['read', 'write'] as const) {
        const key = keyOf(sandboxId, access);
        const token = held.get(key);
        held.delete(key);
        if (token) await revoke(sandboxId, token);
      }
    },
  };
}
