import { readPermission } from '../github/permissions.ts';
import type { AuthorPermission, Permission } from '../services/access/sender.ts';
import type { Deps } from '../services/deps.ts';
import type { LabelEvent } from './payloads.ts';
import { repoRefOf } from './repo.ts';

/**
 * What the issue's author may do in the repository, asked live unless the labeller wrote it. An account that is gone,
 * and a bot that nobody allowed, may do nothing. @throws RetryableError when the answer is unclear
 */
export async function askAuthor(
  deps: Deps,
  payload: LabelEvent,
  known: { readonly permission: Permission; readonly allowBots: readonly string[] },
): Promise<AuthorPermission> {
  const author = payload.issue.user;
  if (!author) return 'none';
  if (author.type === 'Bot') return known.allowBots.includes(author.login) ? 'bot' : 'none';
  if (author.id === payload.sender.id) return known.permission;
  const github = deps.github.within({ timeoutMs: deps.timing.gatherTimeoutMs });
  const { permission, userId } = await readPermission(github, repoRefOf(payload), author.login);
  // The login may belong to somebody else by now.
  return userId === undefined || userId === author.id ? permission : 'none';
}
