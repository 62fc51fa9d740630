/**
 * What the App asks of an organisation, for the whole product: a later change of a permission waits for every
 * organisation's approval. `app.yml`, `docs/permissions.md` and the preflight are made from these tables.
 * `now: true` is what this version uses; the rest is asked for ahead of the features that need it.
 */

export type Access = 'read' | 'write';

export interface Permission {
  readonly name: string;
  /** As GitHub's settings page calls it. */
  readonly title: string;
  readonly scope: 'repository' | 'organization';
  readonly access: Access;
  readonly reason: string;
  readonly now: boolean;
}

export interface Subscription {
  readonly name: string;
  readonly usedFor: string;
  readonly now: boolean;
}

/** Asked for by every installation. */
export const permissions: readonly Permission[] = [
  {
    name: 'metadata',
    title: 'Metadata',
    scope: 'repository',
    access: 'read',
    reason: "Names, default branch, branch rules and the sender's own permission. GitHub makes it mandatory.",
    now: true,
  },
  {
    name: 'contents',
    title: 'Contents',
    scope: 'repository',
    access: 'write',
    reason:
      'Clone, keep the work under a hidden ref, and create, move and delete branches that Specwright itself created.',
    now: true,
  },
  {
    name: 'issues',
    title: 'Issues',
    scope: 'repository',
    access: 'write',
    reason: 'Read the labelled issue, react to it, keep the status comment, and set state labels.',
    now: true,
  },
  {
    name: 'pull_requests',
    title: 'Pull requests',
    scope: 'repository',
    access: 'write',
    reason: 'Open the pull request, follow it, and answer its reviews.',
    now: true,
  },
  {
    name: 'checks',
    title: 'Checks',
    scope: 'repository',
    access: 'write',
    reason: 'Show progress as a check run on our own commits, and read which checks failed.',
    now: false,
  },
  {
    name: 'statuses',
    title: 'Commit statuses',
    scope: 'repository',
    access: 'read',
    reason: 'Read the verdict of CI systems that report commit statuses in place of checks.',
    now: false,
  },
  {
    name: 'actions',
    title: 'Actions',
    scope: 'repository',
    access: 'read',
    reason: 'Read the log of a failed job, so that it can be fixed.',
    now: false,
  },
  {
    name: 'merge_queues',
    title: 'Merge queues',
    scope: 'repository',
    access: 'read',
    reason:
      'Report our check on merge groups: a required check that stays silent there would block the queue.',
    now: false,
  },
  {
    name: 'members',
    title: 'Members',
    scope: 'organization',
    access: 'read',
    reason: 'Tell whether an approver belongs to a team that the settings name.',
    now: false,
  },
];

/** Asked for in addition by `app.workflows.yml`. */
export const workflowPermissions: readonly Permission[] = [
  {
    name: 'workflows',
    title: 'Workflows',
    scope: 'repository',
    access: 'write',
    reason:
      'Let a spec change files under .github/workflows, where settings say `workflows: true`. Without it such changes are refused.',
    now: true,
  },
  {
    name: 'actions',
    title: 'Actions',
    scope: 'repository',
    access: 'write',
    reason: 'Start a failed job again. It replaces the read access of the base profile.',
    now: false,
  },
];

/** What the App subscribes to. */
export const subscriptions: readonly Subscription[] = [
  {
    name: 'issues',
    usedFor: 'A label starts a spec; closing or unlabelling ends it; edits are noted.',
    now: true,
  },
  { name: 'pull_request', usedFor: 'Follow the pull request to its merge or its end.', now: true },
  { name: 'delete', usedFor: 'Notice that a spec branch is gone.', now: true },
  {
    name: 'repository',
    usedFor: 'Follow renames, transfers, archiving, deletion and a new default branch.',
    now: true,
  },
  { name: 'issue_comment', usedFor: 'Commands and answers on issues and pull requests.', now: false },
  { name: 'label', usedFor: 'Follow a state label that people rename or delete.', now: false },
  { name: 'pull_request_review', usedFor: 'A submitted review is one revision.', now: false },
  {
    name: 'pull_request_review_comment',
    usedFor: 'Commands and questions on lines of the diff.',
    now: false,
  },
  { name: 'pull_request_review_thread', usedFor: 'Know which threads are settled.', now: false },
  { name: 'check_run', usedFor: 'Failing CI, and the buttons of our own check.', now: false },
  { name: 'check_suite', usedFor: 'Know when all of CI has finished on a commit.', now: false },
  { name: 'status', usedFor: 'The same for CI that reports commit statuses.', now: false },
  { name: 'push', usedFor: 'A moved base, and commits by people on a spec branch.', now: false },
  { name: 'merge_group', usedFor: 'Report our check in a merge queue.', now: false },
];

/** Sent to every App without a subscription. */
export const alwaysSent: readonly Subscription[] = [
  { name: 'installation', usedFor: 'Installed, suspended, removed, new permissions accepted.', now: true },
  {
    name: 'installation_repositories',
    usedFor: 'Repositories added to and removed from an installation.',
    now: true,
  },
  { name: 'installation_target', usedFor: 'The account was renamed.', now: true },
  { name: 'github_app_authorization', usedFor: 'Nothing; recorded and ignored.', now: true },
];

/**
 * What this version needs and an installation does not grant, for the preflight. `granted` is the `permissions`
 * object of the installation; write includes read.
 */
export function missingPermissions(granted: Readonly<Record<string, string | undefined>>): Permission[] {
  return permissions.filter(({ name, access, now }) => {
    if (!now) return false;
    const level = granted[name];
    return access === 'read' ? level === undefined : level !== 'write' && level !== 'admin';
  });
}
