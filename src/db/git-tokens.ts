import type { Db } from './types.ts';

export interface GitTokenRow {
  id: string;
  sandbox_id: string;
  installation_id: number;
  /** By `seal.ts`. */
  sealed: Buffer;
  expires_at: Date;
}

export interface GitTokenStore {
  /** Notes a token before it is used for the first time. */
  keep(row: GitTokenRow): Promise<void>;
  /** The token is worth nothing any more. */
  forget(id: string): Promise<void>;
  /**
   * Tokens of sandboxes that are gone, at most `limit`; those that ended by themselves are dropped on the way. GitHub
   * takes nothing from a suspended installation, so its tokens wait.
   */
  listLeft(limit: number): Promise<GitTokenRow[]>;
}

/** The git tokens that are worth something. */
export function createGitTokenStore(db: Db): GitTokenStore {
  return {
    async keep(row) {
      await db('git_tokens').insert(row);
    },
    async forget(id) {
      await db('git_tokens').where({ id }).delete();
    },
    async listLeft(limit) {
      await db('git_tokens').whereRaw('expires_at < specwright_now()').delete();
      const live = db('sandboxes')
        .select('id')
        .whereNot({ state: 'gone' })
        .whereRaw('sandboxes.id = git_tokens.sandbox_id');
      const suspended = db('installations')
        .select('id')
        .whereNotNull('suspended_at')
        .whereRaw('installations.id = git_tokens.installation_id');
      return db('git_tokens')
        .whereNotExists(live)
        .whereNotExists(suspended)
        .orderBy('expires_at')
        .limit(limit);
    },
  };
}
