import type { Clock } from '../clock.ts';
import type { RepoRef, TokenProfile } from './client.ts';
import { GitHubError, MINT_ROUTE, orExpected } from './errors.ts';
import type { Wire } from './wire.ts';

/** What each profile may do, for one repository only. The App may hold more: no call of ours needs it. */
export const PERMISSIONS: Readonly<Record<TokenProfile, Readonly<Record<string, 'read' | 'write'>>>> = {
  reader: { metadata: 'read', contents: 'read' },
  /** Apart from the others, so that a person can be told which of their permissions is missing. */
  issues: { metadata: 'read', issues: 'write' },
  control: { metadata: 'read', contents: 'write', pull_requests: 'write' },
};

/** A token for git over HTTP, of one run. */
export interface GitToken {
  readonly token: string;
  readonly expiresAt: Date;
  /** Makes the token worthless; one that already is counts as revoked. */
  revoke(): Promise<void>;
}

export interface InstallationToken {
  readonly token: string;
  readonly mintedAt: Date;
}

export interface Tokens {
  /** The cached token of (installation, repository, profile), minted when there is none or it ends soon. */
  current(repo: RepoRef, profile: TokenProfile): Promise<InstallationToken>;
  /** A token other than `refused`; minted only if nobody else has done so meanwhile. */
  renewed(repo: RepoRef, profile: TokenProfile, refused: string): Promise<InstallationToken>;
  /** A token that only the caller has; never cached. */
  mintGit(repo: RepoRef, access: 'read' | 'write'): Promise<GitToken>;
}

/** Tokens live an hour; a call that starts now must not see its token end. */
const RENEW_BEFORE_MS = 5 * 60_000;
const REVOKE_TIMEOUT_MS = 10_000;

/** Control tokens come from @octokit/app's cache, which also lets concurrent callers share one mint. */
export function createTokens(wire: Wire, clock: Clock): Tokens {
  const ask = async (repo: RepoRef, profile: TokenProfile, refresh: boolean) => {
    const token = asToken(
      await wire.app.auth({
        type: 'installation',
        installationId: repo.installationId,
        repositoryIds: [repo.repositoryId],
        permissions: PERMISSIONS[profile],
        refresh,
      }),
    );
    return { token: token.token, mintedAt: new Date(token.createdAt), expiresAt: new Date(token.expiresAt) };
  };
  const current = async (repo: RepoRef, profile: TokenProfile) => {
    const token = await ask(repo, profile, false);
    const endsSoon = token.expiresAt.getTime() - clock.now().getTime() < RENEW_BEFORE_MS;
    return endsSoon ? ask(repo, profile, true) : token;
  };
  return {
    current,
    renewed: async (repo, profile, refused) => {
      const token = await current(repo, profile);
      return token.token === refused ? ask(repo, profile, true) : token;
    },
    mintGit: (repo, access) => mintGit(wire, repo, access),
  };
}

// Not through the cache's door: concurrent callers would share one token there, and the first run to end revokes it.
async function mintGit(wire: Wire, repo: RepoRef, access: 'read' | 'write'): Promise<GitToken> {
  const { data } = await wire.app.request(MINT_ROUTE, {
    installation_id: repo.installationId,
    repository_ids: [repo.repositoryId],
    permissions: { contents: access },
  });
  const { token, expires_at } = data;
  return { token, expiresAt: new Date(expires_at), revoke: () => revoke(wire, repo, token) };
}

async function revoke(wire: Wire, repo: RepoRef, token: string): Promise<void> {
  const route = 'DELETE /installation/token';
  const sent = wire.send({
    callSite: route,
    route,
    parameters: {},
    token,
    profile: 'git',
    installationId: repo.installationId,
    signal: AbortSignal.timeout(REVOKE_TIMEOUT_MS),
  });
  await orExpected(sent, (error) => (error.kind === 'unauthorized' ? 'revoked' : undefined));
}

function asToken(answer: unknown): { token: string; createdAt: string; expiresAt: string } {
  const { token, createdAt, expiresAt } = answer as Record<string, unknown>;
  if (typeof token === 'string' && typeof createdAt === 'string' && typeof expiresAt === 'string') {
    return { token, createdAt, expiresAt };
  }
  throw new GitHubError({ kind: 'unavailable', callSite: MINT_ROUTE, code: 'a body without a token' });
}
