import type { Clock } from '../clock.ts';
import { crashPoint } from '../crash-point.ts';
import type { RepoRef, TokenProfile } from './client.ts';
import { GitHubError, MINT_ROUTE } from './errors.ts';
import { seenEverywhere } from './patience.ts';
import type { Wire } from './wire.ts';

/** A call's profile, or the list of an installation's repositories. */
export type TokenScope = TokenProfile | 'directory';

/** What each profile may do, for one repository only. The App may hold more: no call of ours needs it. */
export const PERMISSIONS: Readonly<Record<TokenScope, Readonly<Record<string, 'read' | 'write'>>>> = {
  reader: { metadata: 'read', contents: 'read' },
  /** Apart from the others, so that a person can be told which of their permissions is missing. */
  issues: { metadata: 'read', issues: 'write' },
  control: { metadata: 'read', contents: 'write', pull_requests: 'write' },
  /** For branches whose commits change workflows, where installation and settings allow that. */
  workflows: { metadata: 'read', contents: 'write', workflows: 'write' },
  /** Which repositories there are: the only token that is for all of an installation, and it reads names only. */
  directory: { metadata: 'read' },
};

/** What a run's git may do; `workflows` is writing commits that change workflows too. */
export type GitAccess = 'read' | 'write' | 'workflows';

/** A token for git over HTTP, of one run. */
export interface GitToken {
  readonly token: string;
  readonly expiresAt: Date;
}

export interface InstallationToken {
  readonly token: string;
  readonly mintedAt: Date;
}

export interface Tokens {
  /** The cached token of (installation, repository, profile), minted when there is none or it ends soon. */
  current(repo: RepoRef, profile: TokenScope): Promise<InstallationToken>;
  /** A token other than `refused`; minted only if nobody else has done so meanwhile. */
  renewed(repo: RepoRef, profile: TokenScope, refused: string): Promise<InstallationToken>;
  /** A token that only the caller has; never cached. */
  mintGit(repo: RepoRef, access: GitAccess): Promise<GitToken>;
  /** Makes such a token worthless; one that already is counts as revoked. */
  revokeGit(installationId: number, token: string): Promise<void>;
}

/** Tokens live an hour; a call that starts now must not see its token end. */
const RENEW_BEFORE_MS = 5 * 60_000;
const REVOKE_TIMEOUT_MS = 10_000;
const REVOKE_WAITS_MS = [250, 1000];

interface Door {
  readonly wire: Wire;
  readonly clock: Clock;
}

/** Control tokens come from @octokit/app's cache, which also lets concurrent callers share one mint. */
export function createTokens(wire: Wire, clock: Clock): Tokens {
  const ask = async (repo: RepoRef, profile: TokenScope, refresh: boolean) => {
    const mint = () =>
      wire.app.auth({
        type: 'installation',
        installationId: repo.installationId,
        ...(profile === 'directory' ? {} : { repositoryIds: [repo.repositoryId] }),
        permissions: PERMISSIONS[profile],
        refresh,
      });
    const token = asToken(await seenEverywhere(clock, mint));
    return { token: token.token, mintedAt: new Date(token.createdAt), expiresAt: new Date(token.expiresAt) };
  };
  const current = async (repo: RepoRef, profile: TokenScope) => {
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
    mintGit: (repo, access) => mintGit({ wire, clock }, repo, access),
    revokeGit: (installationId, token) => revoke({ wire, clock }, installationId, token),
  };
}

// Not through the cache's door: concurrent callers would share one token there, and the first run to end revokes it.
async function mintGit(door: Door, repo: RepoRef, access: GitAccess): Promise<GitToken> {
  const permissions =
    access === 'workflows' ? ({ contents: 'write', workflows: 'write' } as const) : { contents: access };
  const { data } = await seenEverywhere(door.clock, () =>
    door.wire.app.request(MINT_ROUTE, {
      installation_id: repo.installationId,
      repository_ids: [repo.repositoryId],
      permissions,
    }),
  );
  const { token, expires_at } = data;
  return { token, expiresAt: new Date(expires_at) };
}

async function revoke({ wire, clock }: Door, installationId: number, token: string): Promise<void> {
  crashPoint('token.before-revoke');
  const route = 'DELETE /installation/token';
  const send = () =>
    wire.send({
      callSite: route,
      route,
      parameters: {},
      token,
      profile: 'git',
      installationId,
      signal: AbortSignal.timeout(REVOKE_TIMEOUT_MS),
    });
  for (const wait of [...REVOKE_WAITS_MS, null]) {
    try {
      await send();
      return;
    } catch (error) {
      if (!(error instanceof GitHubError)) throw error;
      // A fresh token may be refused before it works: only one that is refused to the last is worth nothing.
      if (wait === null && error.kind === 'unauthorized') return;
      // Doing it twice does no harm, and a token that is left lives for an hour.
      if (wait === null) throw error;
      await clock.sleep(wait);
    }
  }
}

function asToken(answer: unknown): { token: string; createdAt: string; expiresAt: string } {
  const { token, createdAt, expiresAt } = answer as Record<string, unknown>;
  if (typeof token === 'string' && typeof createdAt === 'string' && typeof expiresAt === 'string') {
    return { token, createdAt, expiresAt };
  }
  throw new GitHubError({ kind: 'unavailable', callSite: MINT_ROUTE, code: 'a body without a token' });
}
