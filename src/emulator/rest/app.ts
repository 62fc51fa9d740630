import { holds } from '../access.ts';
import { newInstallationToken } from '../auth.ts';
import { fullAppJson, installationJson } from '../payloads/accounts.ts';
import { repositoryJson } from '../payloads/repository.ts';
import { created, noContent, notFound, ok, problem, type Reply } from '../reply.ts';
import {
  covers,
  findAccount,
  findRepository,
  type Installation,
  now,
  type PermissionLevel,
  type Permissions,
  type Repository,
  repositoriesOf,
  stamp,
  type World,
} from '../state.ts';
import { type AppCall, appRoute, type Call, openRoute, type Route } from './call.ts';
import { movedTo } from './moved.ts';
import { linkHeader, paged, pageOf, slice } from './paging.ts';

const TOKEN_LIFETIME_MS = 60 * 60 * 1000;

function installationOf(call: AppCall): Installation {
  const installation = call.world.installations.get(Number(call.params.installation_id));
  if (!installation || installation.appId !== call.app.id) throw notFound();
  return installation;
}

function wantedPermissions(call: AppCall, installation: Installation): Permissions {
  const asked = call.body.permissions;
  if (asked === undefined || asked === null) return installation.permissions;
  if (typeof asked !== 'object') throw problem(422, 'Invalid request.\n\n"permissions" is not an object.');
  const wanted = Object.entries(asked as Record<string, unknown>);
  if (
    !wanted.every(
      ([name, level]) =>
        ['read', 'write', 'admin'].includes(String(level)) &&
        holds(installation.permissions, `${name}:${String(level)}`),
    )
  ) {
    throw problem(422, 'The permissions requested are not granted to this installation.');
  }
  const narrowed = Object.fromEntries(wanted) as Record<string, PermissionLevel>;
  return { ...narrowed, metadata: 'read' };
}

function listIn(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function wantedRepositories(call: AppCall, installation: Installation): Repository[] | null {
  const { repositories: names, repository_ids: ids } = call.body;
  if (names === undefined && ids === undefined) return null;
  const reachable = repositoriesOf(call.world, installation);
  const wanted = [...listIn(names), ...listIn(ids)];
  return wanted.map((one) => {
    const found = reachable.find(
      (repo) => repo.id === one || repo.name.toLowerCase() === String(one).toLowerCase(),
    );
    if (found) return found;
    throw problem(
      422,
      'There is at least one repository that does not exist or is not accessible to the parent installation.',
    );
  });
}

function mint(call: AppCall): Reply {
  const { world } = call;
  const installation = installationOf(call);
  if (installation.suspendedAt) throw problem(403, 'This installation has been suspended');
  const permissions = wantedPermissions(call, installation);
  const wanted = wantedRepositories(call, installation);
  const token = newInstallationToken(call.app.id);
  const mintedAt = now(world);
  const expiresAt = new Date(mintedAt.getTime() + TOKEN_LIFETIME_MS);
  const repositoryIds = wanted && new Set(wanted.map((repo) => repo.id));
  world.tokens.set(token, {
    kind: 'installation',
    installationId: installation.id,
    permissions,
    repositoryIds,
    mintedAt,
    expiresAt,
  });
  const asked = call.body.permissions ? Object.keys(call.body.permissions) : null;
  world.minted.push({ secret: token, permissions, asked, mintedAt });
  const listed =
    wanted ?? (installation.selection === 'selected' ? repositoriesOf(world, installation) : null);
  return created({
    token,
    expires_at: stamp(expiresAt),
    permissions,
    repository_selection: wanted ? 'selected' : installation.selection,
    ...(listed ? { repositories: listed.map((repo) => repositoryJson(world, repo)) } : {}),
  });
}

/** The installation of the calling App on an account. */
function installationOn(call: AppCall, login: string): Reply {
  const account = findAccount(call.world, login);
  const found = [...call.world.installations.values()].find(
    (one) => one.appId === call.app.id && one.accountId === account?.id,
  );
  if (!found) throw notFound();
  return ok(installationJson(call.world, found));
}

/** The installation of the calling App that reaches a repository. */
function installationReaching(call: AppCall): Reply {
  const { world, params, query } = call;
  const name = `${params.owner}/${params.repo}`;
  const repo = findRepository(world, name);
  if (!repo) {
    const moved = movedTo(world, name, { method: 'GET', rest: '/installation', query });
    if (moved) return moved;
    throw notFound();
  }
  const found = ownInstallations(call).find((one) => covers(one, repo));
  if (!found) throw notFound();
  return ok(installationJson(world, found));
}

function ownInstallations(call: AppCall): Installation[] {
  return [...call.world.installations.values()].filter((one) => one.appId === call.app.id);
}

function reachableByToken(world: World, call: Call): Repository[] {
  const { actor } = call;
  if (actor.kind !== 'installation')
    throw problem(
      403,
      'You must authenticate with an installation access token in order to list repositories for an installation.',
    );
  const { installation, repositoryIds } = actor;
  return repositoriesOf(world, installation).filter(
    (repo) => repositoryIds === null || repositoryIds.has(repo.id),
  );
}

/** The App, its installations and their tokens. */
export const appRoutes: readonly Route[] = [
  appRoute('GET /app', (call) => ok(fullAppJson(call.world, call.app))),
  appRoute('GET /app/installations', (call) =>
    paged(call, ownInstallations(call), {
      path: '/app/installations',
      show: (one) => installationJson(call.world, one),
    }),
  ),
  appRoute('GET /app/installations/{installation_id}', (call) =>
    ok(installationJson(call.world, installationOf(call))),
  ),
  appRoute('POST /app/installations/{installation_id}/access_tokens', mint),
  appRoute('GET /orgs/{org}/installation', (call) => installationOn(call, call.params.org ?? '')),
  appRoute('GET /users/{username}/installation', (call) => installationOn(call, call.params.username ?? '')),
  appRoute('GET /repos/{owner}/{repo}/installation', installationReaching),
  openRoute('DELETE /installation/token', (call) => {
    if (call.actor.kind !== 'installation') throw problem(401, 'Bad credentials');
    call.world.tokens.delete(call.actor.token);
    return noContent();
  }),
  openRoute('GET /installation/repositories', (call) => {
    const all = reachableByToken(call.world, call);
    const shown = slice(all, pageOf(call)).map((repo) => repositoryJson(call.world, repo));
    const selection =
      call.actor.kind === 'installation' && call.actor.repositoryIds === null
        ? call.actor.installation.selection
        : 'selected';
    const headers = linkHeader(call, { path: '/installation/repositories', total: all.length });
    return ok({ total_count: all.length, repository_selection: selection, repositories: shown }, headers);
  }),
];
