import { atLeast, roleOf } from '../access.ts';
import { installationJson, userJson } from '../payloads/accounts.ts';
import { fullRepositoryJson } from '../payloads/repository.ts';
import { notFound, ok, problem, type Reply } from '../reply.ts';
import { ruleJson, rulesFor } from '../rules.ts';
import { covers, findAccount, findRepository, type Json, type Role } from '../state.ts';
import { appRoute, type RepoCall, type Route, repoRoute } from './call.ts';
import { paged } from './paging.ts';

// GitHub reports the five roles in the words of the former three, and the real one as role_name.
const LEGACY: Record<Role, string> = {
  read: 'read',
  triage: 'read',
  write: 'write',
  maintain: 'write',
  admin: 'admin',
};

function roleFlags(role: Role | null): Json {
  const levels: [string, Role][] = [
    ['admin', 'admin'],
    ['maintain', 'maintain'],
    ['push', 'write'],
    ['triage', 'triage'],
    ['pull', 'read'],
  ];
  return Object.fromEntries(levels.map(([name, level]) => [name, atLeast(role, level)]));
}

function permission(call: RepoCall): Reply {
  const account = findAccount(call.world, call.params.username ?? '');
  if (!account || account.type === 'Organization') throw notFound();
  const role = roleOf(call.repo, account);
  const user = { ...userJson(call.world, account), permissions: roleFlags(role), role_name: role ?? 'none' };
  return ok({ permission: role ? LEGACY[role] : 'none', role_name: role ?? 'none', user });
}

function repository(call: RepoCall): Reply {
  const { actor, world, repo } = call;
  const role = actor.kind === 'user' ? roleOf(repo, actor.account) : null;
  return ok(fullRepositoryJson(world, repo, actor.kind === 'user' ? roleFlags(role) : roleFlags('read')));
}

/** Repositories as such: what they are, who may do what, and which rules hold. */
export const repositoryRoutes: readonly Route[] = [
  repoRoute('GET /repos/{owner}/{repo}', 'metadata:read', repository),
  appRoute('GET /repos/{owner}/{repo}/installation', (call) => {
    const repo = findRepository(call.world, `${call.params.owner}/${call.params.repo}`);
    const found = [...call.world.installations.values()].find(
      (one) => repo && one.appId === call.app.id && covers(one, repo),
    );
    if (!found) throw notFound();
    return ok(installationJson(call.world, found));
  }),
  repoRoute('GET /repos/{owner}/{repo}/collaborators/{username}/permission', 'metadata:read', (call) => {
    if (call.actor.kind === 'anonymous') throw problem(401, 'Requires authentication');
    return permission(call);
  }),
  repoRoute('GET /repos/{owner}/{repo}/rules/branches/{branch...}', 'metadata:read', (call) => {
    const { owner, repo, branch = '' } = call.params;
    const path = `/repos/${owner}/${repo}/rules/branches/${branch}`;
    return paged(call, rulesFor(call.repo, branch), {
      path,
      show: (rule) => ruleJson(call.world, call.repo, rule),
    });
  }),
];
