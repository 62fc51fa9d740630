import type { GitHub } from './client.ts';
import { toId } from './ids.ts';
import { PAGE_SIZE, readPages } from './pages.ts';

/** A user, organisation or bot, as payloads name it. */
export interface Account {
  readonly id: number;
  readonly login: string;
  readonly type: string;
}

export interface Installed {
  readonly id: number;
  readonly account: Account;
  readonly permissions: Readonly<Record<string, string>>;
  /** GitHub's time, as it writes it. */
  readonly suspendedAt: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface ReachedRepository {
  readonly id: number;
  readonly owner: Account;
  readonly name: string;
  readonly private: boolean;
  readonly archived: boolean;
  readonly defaultBranch: string;
  /** Changes with every push; GitHub's time, or an empty text. */
  readonly pushedAt: string;
  readonly updatedAt: string | null;
}

const MOST_PAGES = 100;

/** Every installation of the App, asked as the App. `complete` is false beyond ten thousand. */
export async function listInstalled(gh: GitHub): Promise<{ items: readonly Installed[]; complete: boolean }> {
  return readPages(MOST_PAGES, async (page) => {
    const { data } = await gh.callAsApp('GET /app/installations', { per_page: PAGE_SIZE, page });
    return data.map((one) => ({
      id: one.id,
      account: accountOf(one.account, one.target_type),
      permissions: { ...one.permissions },
      suspendedAt: one.suspended_at,
      createdAt: one.created_at,
      updatedAt: one.updated_at,
    }));
  });
}

/** Every repository that an installation reaches. `complete` is false beyond ten thousand. */
export async function listReached(
  gh: GitHub,
  installationId: number,
): Promise<{ items: readonly ReachedRepository[]; complete: boolean }> {
  return readPages(MOST_PAGES, async (page) => {
    const { data } = await gh.listReach(installationId, page);
    return data.repositories.map((one) => ({
      id: toId(one.id),
      owner: accountOf(one.owner, 'User'),
      name: one.name,
      private: one.private,
      archived: one.archived,
      defaultBranch: one.default_branch,
      pushedAt: one.pushed_at ?? '',
      updatedAt: one.updated_at,
    }));
  });
}

type RawAccount = { id: number | bigint; login?: string; slug?: string; type?: string } | null;

function accountOf(raw: unknown, type: string): Account {
  const account = raw as RawAccount;
  return {
    id: toId(account?.id ?? 0),
    login: account?.login ?? account?.slug ?? '',
    type: account?.type ?? type,
  };
}
