import { RetryableError } from '../errors.ts';
import type { GitHub, RepoRef } from './client.ts';
import { orExpected } from './errors.ts';
import { toId } from './ids.ts';

const LEVELS = ['none', 'read', 'triage', 'write', 'maintain', 'admin'] as const;

export type Permission = (typeof LEVELS)[number];

export interface PermissionAnswer {
  readonly permission: Permission;
  /** Who the login belongs to now: logins change hands, so compare it with the id you know. */
  readonly userId: number | undefined;
}

/**
 * What a login may do in a repository, asked live. A custom role counts as the level it is built on.
 * @throws RetryableError (GitHubError included) when the answer is unclear: never read that as a no, nor as a yes.
 */
export async function readPermission(gh: GitHub, repo: RepoRef, login: string): Promise<PermissionAnswer> {
  // Needs no permission of its own, and has to be known where only the talking was granted, too.
  const asked = gh.call(
    { repo, profile: 'issues' },
    'GET /repos/{owner}/{repo}/collaborators/{username}/permission',
    { username: login },
  );
  const answer = await orExpected(asked, (error) => (error.kind === 'not_found' ? 'stranger' : undefined));
  if (answer === 'stranger') return { permission: 'none', userId: undefined };
  const { role_name, permission, user } = answer.data;
  const known = levelOf(role_name) ?? levelOf(permission);
  if (known === undefined) throw new RetryableError('GitHub named a permission that is not known');
  return { permission: known, userId: toId(user?.id) };
}

function levelOf(name: string | undefined): Permission | undefined {
  return LEVELS.find((level) => level === name);
}
