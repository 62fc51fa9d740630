/** Git tokens with a row each, sealed, so that whoever lives revokes what a process has left behind. */
import { randomUUID } from 'node:crypto';
import { crashPoint } from '../../crash-point.ts';
import type { GitTokenRow, GitTokenStore } from '../../db/git-tokens.ts';
import { messageOf } from '../../errors.ts';
import type { GitHub, RepoRef } from '../../github/client.ts';
import type { GitAccess, GitToken } from '../../github/tokens.ts';
import type { Logger } from '../../log.ts';
import type { Sealer } from '../../seal.ts';

export interface KeptTokensOptions {
  readonly github: Pick<GitHub, 'mintGitToken' | 'revokeGitToken'>;
  readonly store: GitTokenStore;
  readonly sealer: Sealer;
  readonly log: Logger;
}

/** A token with its row. */
export type KeptToken = GitToken & Pick<GitTokenRow, 'id' | 'sandbox_id' | 'installation_id'>;

export interface KeptTokens {
  /** Mints one, and writes it down before anybody can use it. */
  mint(sandboxId: string, repo: RepoRef, access: GitAccess): Promise<KeptToken>;
  /** Never throws: what could not be revoked keeps its row. */
  revoke(token: Omit<KeptToken, 'expiresAt'>): Promise<void>;
  /** Revokes what sandboxes that are gone have left, whoever served them. */
  revokeLeft(): Promise<void>;
}

/** Of what was left behind, in one pass. */
const LEFT_AT_ONCE = 50;

export function createKeptTokens({ github, store, sealer, log }: KeptTokensOptions): KeptTokens {
  const revoke: KeptTokens['revoke'] = async ({ id, sandbox_id: sandbox, installation_id, token }) => {
    try {
      await github.revokeGitToken(installation_id, token);
      await store.forget(id);
    } catch (error) {
      log.warn({ sandbox, error: messageOf(error) }, 'git token not revoked, to be tried again');
    }
  };
  return {
    revoke,
    async mint(sandboxId, repo, access) {
      const made = await github.mintGitToken(repo, access);
      const row = { id: randomUUID(), sandbox_id: sandboxId, installation_id: repo.installationId };
      const kept = { ...made, ...row };
      try {
        await store.keep({ ...row, sealed: sealer.seal(made.token), expires_at: made.expiresAt });
      } catch (error) {
        await revoke(kept);
        throw error;
      }
      crashPoint('token.minted');
      return kept;
    },
    async revokeLeft() {
      for (const row of await store.listLeft(LEFT_AT_ONCE)) {
        const token = sealer.open(row.sealed);
        if (token !== null) await revoke({ ...row, token });
        else {
          log.warn({ sandbox: row.sandbox_id }, 'a git token can not be read any more, it ends in the hour');
          await store.forget(row.id);
        }
      }
    },
  };
}
