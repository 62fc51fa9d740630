import type { GitHub, RepoRef } from './client.ts';
import { orExpected } from './errors.ts';
import { toId } from './ids.ts';

export interface FoundInstallation {
  readonly kind: 'found';
  readonly id: number;
  readonly accountId: number | undefined;
  /** A login, or an enterprise's slug. */
  readonly accountLogin: string | undefined;
  /** `User`, `Organization` or `Enterprise`. */
  readonly accountType: string;
  /** What was granted, by GitHub's names: `contents: write`. */
  readonly permissions: Readonly<Record<string, string>>;
  readonly events: readonly string[];
  readonly repositorySelection: 'all' | 'selected';
  readonly suspendedAt: Date | undefined;
}

/** An installation as GitHub knows it now, asked as the App. */
export async function readInstallation(
  gh: GitHub,
  id: number,
): Promise<FoundInstallation | { readonly kind: 'missing' }> {
  const asked = gh.callAsApp('GET /app/installations/{installation_id}', { installation_id: id });
  const answer = await orExpected(asked, (error) => (error.kind === 'not_found' ? 'missing' : undefined));
  if (answer === 'missing') return { kind: 'missing' };
  const { data } = answer;
  const { account } = data;
  return {
    kind: 'found',
    id: data.id,
    accountId: toId(account?.id),
    accountLogin: account && 'login' in account ? account.login : account?.slug,
    accountType: data.target_type,
    permissions: { ...data.permissions },
    events: data.events,
    repositorySelection: data.repository_selection,
    suspendedAt: data.suspended_at === null ? undefined : new Date(data.suspended_at),
  };
}

/**
 * The id of the installation that reaches whatever has the repository's name now, followed to a new name; null when
 * none does. Another repository may have taken the name: who needs to know asks it with a token of that installation.
 */
export async function findInstallation(
  gh: GitHub,
  { repositoryId, owner, name }: Omit<RepoRef, 'installationId'>,
): Promise<number | null> {
  const at = { owner, repo: name };
  const asked = gh.callAsApp('GET /repos/{owner}/{repo}/installation', at, repositoryId);
  const answer = await orExpected(asked, ({ kind }) =>
    kind === 'not_found' || kind === 'moved' ? kind : undefined,
  );
  return typeof answer === 'string' ? null : toId(answer.data.id);
}
