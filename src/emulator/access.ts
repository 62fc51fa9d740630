import type { Actor } from './auth.ts';
import { notFound, problem } from './reply.ts';
import { type Account, covers, type PermissionLevel, type Repository, type Role } from './state.ts';

const RANK: Record<Role, number> = { read: 1, triage: 2, write: 3, maintain: 4, admin: 5 };
const LEVEL: Record<PermissionLevel, number> = { read: 1, write: 2, admin: 3 };

/** Whether a role includes another. */
export function atLeast(role: Role | null, wanted: Role): boolean {
  return role !== null && RANK[role] >= RANK[wanted];
}

/** What a person may do in a repository; null for nothing at all. */
export function roleOf(repo: Repository, account: Account): Role | null {
  if (account.id === repo.ownerId) return 'admin';
  return repo.collaborators.get(account.id) ?? (repo.private ? null : 'read');
}

/** Asserts that a token reaches the repository at all: 404 outside its scope. */
export function requireReach(actor: Actor, repo: Repository): void {
  if (actor.kind === 'app') throw problem(401, 'A JSON web token could not be decoded');
  if (actor.kind === 'installation') {
    const inScope = actor.repositoryIds === null || actor.repositoryIds.has(repo.id);
    if (!inScope || !covers(actor.installation, repo)) throw notFound();
  } else if (actor.kind === 'user') {
    if (roleOf(repo, actor.account) === null) throw notFound();
  } else if (repo.private) throw notFound();
}

/** Whether an installation token holds a permission such as `contents:write`. Metadata can always be read. */
export function holds(permissions: Record<string, PermissionLevel>, need: string): boolean {
  const [name = '', level = 'read'] = need.split(':');
  if (need === 'metadata:read') return true;
  const granted = permissions[name];
  return granted !== undefined && LEVEL[granted] >= LEVEL[level as PermissionLevel];
}

export interface Need {
  /** Permissions of an installation of which one is enough. */
  readonly anyOf: readonly string[];
  /** What a person needs. */
  readonly role: Role;
}

/** Asserts that the actor may do this: 401 without credentials, 403 without the permission or role. */
export function requireNeed(actor: Actor, repo: Repository, need: Need): void {
  const writes = need.anyOf.every((one) => !one.endsWith(':read'));
  if (actor.kind === 'anonymous' && writes) throw problem(401, 'Requires authentication');
  if (actor.kind === 'installation' && !need.anyOf.some((one) => holds(actor.permissions, one))) {
    throw problem(403, 'Resource not accessible by integration');
  }
  if (actor.kind === 'user' && !atLeast(roleOf(repo, actor.account), need.role)) {
    throw problem(403, 'Must have admin rights to Repository.');
  }
  if (writes && repo.archived) throw problem(403, 'Repository was archived so is read-only.');
}
