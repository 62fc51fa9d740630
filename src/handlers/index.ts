import { refDeleted } from './delete.ts';
import type { Handler } from './handler.ts';
import {
  installationCreated,
  installationDeleted,
  installationPermissions,
  installationSuspend,
  installationTargetRenamed,
  installationUnsuspend,
} from './installation.ts';
import {
  installationRepositoriesAdded,
  installationRepositoriesRemoved,
} from './installation-repositories.ts';
import { issuesClosed, issuesDeleted, issuesEdited, issuesTransferred, issuesUnlabeled } from './issues.ts';
import { issuesLabeled } from './issues-labeled.ts';
import {
  pullRequestClosed,
  pullRequestOpened,
  pullRequestReopened,
  pullRequestSynchronize,
} from './pull-request.ts';
import {
  repositoryArchived,
  repositoryChanged,
  repositoryDeleted,
  repositoryTransferred,
} from './repository.ts';

/** Event → handler: the table of contents of what the App listens to. Everything else is ignored, with that reason. */
export const handlers = {
  'issues.labeled': issuesLabeled,
  'issues.unlabeled': issuesUnlabeled,
  'issues.closed': issuesClosed,
  'issues.deleted': issuesDeleted,
  'issues.transferred': issuesTransferred,
  'issues.edited': issuesEdited,
  'pull_request.opened': pullRequestOpened,
  'pull_request.synchronize': pullRequestSynchronize,
  'pull_request.reopened': pullRequestReopened,
  'pull_request.closed': pullRequestClosed,
  delete: refDeleted,
  'installation.created': installationCreated,
  'installation.deleted': installationDeleted,
  'installation.suspend': installationSuspend,
  'installation.unsuspend': installationUnsuspend,
  'installation.new_permissions_accepted': installationPermissions,
  'installation_repositories.added': installationRepositoriesAdded,
  'installation_repositories.removed': installationRepositoriesRemoved,
  'installation_target.renamed': installationTargetRenamed,
  'repository.renamed': repositoryChanged,
  'repository.transferred': repositoryTransferred,
  'repository.archived': repositoryArchived,
  'repository.unarchived': repositoryChanged,
  'repository.deleted': repositoryDeleted,
  'repository.privatized': repositoryChanged,
  'repository.publicized': repositoryChanged,
  'repository.edited': repositoryChanged,
} as const satisfies Readonly<Record<string, Handler>>;

export type HandledEvent = keyof typeof handlers;

/** The handler of an event; null when the App does not listen to it. */
export function handlerOf(name: string, action: string | null): Handler | null {
  const table: Readonly<Record<string, Handler>> = handlers;
  const key = action === null ? name : `${name}.${action}`;
  if (Object.hasOwn(table, key)) return table[key]!;
  return Object.hasOwn(table, name) ? table[name]! : null;
}
